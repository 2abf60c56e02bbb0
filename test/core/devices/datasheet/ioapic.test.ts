import t from 'tap';
import { BenchMachine } from '../../../support/bench-machine.js';
import { highOf, lowOf, writeEntry } from '../../../support/redirection-entry.js';
import { type Access, assertBits } from './bits.js';

/** 82093AA (290566-001). */
const open =
  (register: number, version = 0x11) =>
  (): Access => {
    const bench = new BenchMachine({ profile: 'datasheet', ioapic: { version } });
    return {
      read: () => BigInt(bench.readIoapic(register)),
      write: (value) => bench.writeIoapic(register, Number(value)),
    };
  };

for (const [section, name, register] of [
  ['3.2.1', 'IOAPICID', 0],
  ['3.2.3', 'IOAPICARB', 2],
] as const) {
  assertBits(
    {
      section,
      name,
      bits: 32,
      fields: [
        [31, 28, 'reserved', 0],
        [27, 24, 'identification', register === 0 ? 'rw' : 0],
        [23, 0, 'reserved', 0],
      ],
    },
    open(register),
  );
}

assertBits(
  {
    section: '3.2.2',
    name: 'IOAPICVER',
    bits: 32,
    fields: [
      [31, 24, 'reserved', 0],
      [23, 16, 'Maximum Redirection Entry', 23n],
      [15, 8, 'reserved', 0],
      [7, 0, 'APIC Version', 0x11n],
    ],
  },
  open(1),
);

/** Reserved bits of an entry are stored, as QEMU does: the document says nothing about what they read. */
assertBits(
  {
    section: '3.2.4',
    name: 'IOREDTBL, low half',
    bits: 32,
    fields: [
      [31, 17, 'reserved', 'rw'],
      [16, 16, 'Interrupt Mask', 'rw'],
      [15, 15, 'Trigger Mode', 'rw'],
      [14, 14, 'Remote IRR', 0],
      [13, 13, 'Interrupt Input Pin Polarity', 'rw'],
      [12, 12, 'Delivery Status', 0],
      [11, 11, 'Destination Mode', 'rw'],
      [10, 8, 'Delivery Mode', 'rw'],
      [7, 0, 'Interrupt Vector', 'rw'],
    ],
  },
  open(lowOf(7)),
);

assertBits(
  {
    section: '3.2.4',
    name: 'IOREDTBL, high half',
    bits: 32,
    fields: [
      [31, 24, 'Destination Field', 'rw'],
      [23, 0, 'reserved', 'rw'],
    ],
  },
  open(highOf(7)),
);

t.test('3.2.1 each bit of the identification is that of the arbitration register', async (t) => {
  for (let bit = 24; bit < 28; bit++) {
    const bench = new BenchMachine({ profile: 'datasheet' });
    bench.writeIoapic(0, 1 << bit);
    t.equal(bench.readIoapic(2), 1 << bit, `3.2.3, IOAPICARB bit ${bit}, Arbitration ID`);
  }
});

/** Bits of an entry that a message carries: the half, its bit, and the message's field with its bit. */
const CARRIED = [
  ...Array.from({ length: 8 }, (_, n) => ['low', n, 'vector', n] as const),
  ...Array.from({ length: 3 }, (_, n) => ['low', 8 + n, 'deliveryMode', n] as const),
  ['low', 11, 'destinationMode', 0] as const,
  ['low', 15, 'trigger', 0] as const,
  ...Array.from({ length: 8 }, (_, n) => ['high', 24 + n, 'destination', n] as const),
];

t.test('3.2.4 what a message carries of its entry', async (t) => {
  for (const [half, bit, field, fieldBit] of CARRIED) {
    const bench = new BenchMachine({ profile: 'datasheet' });
    const word = (1 << bit) >>> 0;
    writeEntry(bench, 7, half === 'low' ? word : 0, half === 'high' ? word : 0);
    bench.setLine(7, 1);
    const message = bench.takeEvents().find((event) => event.kind === 'apic');
    const fields = {
      vector: 0,
      deliveryMode: 0,
      destinationMode: 0,
      trigger: 0,
      destination: 0,
      [field]: 1 << fieldBit,
    };
    t.match(message, fields, `3.2.4, IOREDTBL ${half} half, bit ${bit}: ${field}`);
  }
});

t.test('3.2.4 remote IRR and the mask of each pin', async (t) => {
  for (let pin = 1; pin < 24; pin++) {
    const bench = new BenchMachine({ profile: 'datasheet' });
    writeEntry(bench, pin, 0x1_8050);
    bench.setLine(pin, 1);
    const masked = bench.takeEvents().some((event) => event.kind === 'apic');
    writeEntry(bench, pin, 0x8050);
    const set = bench.readIoapic(lowOf(pin));
    bench.setLine(pin, 0);
    bench.endOfInterrupt(0x50);
    t.same([masked, set, bench.readIoapic(lowOf(pin))], [false, 0xc050, 0x8050], `3.2.4, pin ${pin}: bits 14 and 16`);
  }
});
