import t from 'tap';
import { IOAPIC_BASE } from '../../../../src/core/devices/guest-map.js';
import { IOEOI } from '../../../../src/core/devices/ioapic/registers.js';
import { BenchMachine } from '../../../support/bench-machine.js';
import { outputs } from '../../../support/outputs.js';
import { lowOf, writeEntry } from '../../../support/redirection-entry.js';

const MASKED = 1 << 16;
const LEVEL = 1 << 15;
const REMOTE_IRR = 1 << 14;

const writeEoi = (bench: BenchMachine, vector: number, size = 4) => bench.write(IOAPIC_BASE + IOEOI, size, vector);

/** A machine in which pins 5 and 9 share vector 0x45 and pin 7 has 0x47; all wait for an EOI, their lines still high. */
function waiting(version = 0x20): BenchMachine {
  const bench = new BenchMachine({ ioapic: { version } });
  for (const [pin, vector] of [
    [9, 0x45],
    [5, 0x45],
    [7, 0x47],
  ]) {
    writeEntry(bench, pin, LEVEL | vector);
    bench.setLine(pin, 1);
  }
  bench.takeEvents();
  return bench;
}

for (const [way, eoi] of [
  ['from a local APIC', (bench: BenchMachine, vector: number) => bench.endOfInterrupt(vector)],
  ['by the EOI register', (bench: BenchMachine, vector: number) => writeEoi(bench, vector)],
] as const) {
  t.test(`an EOI ${way} acts on every entry with its vector, lowest pin first`, async (t) => {
    const bench = waiting();
    eoi(bench, 0x45);
    t.same(outputs(bench, 'apic'), ['pin 5 vector 0x45 level @0', 'pin 9 vector 0x45 level @0']);
  });

  t.test(`an EOI ${way} for a vector that no entry has does nothing`, async (t) => {
    const bench = waiting();
    eoi(bench, 0x46);
    eoi(bench, 0x145);
    t.same(outputs(bench, 'apic'), []);
    t.equal(bench.readIoapic(lowOf(5)) & REMOTE_IRR, REMOTE_IRR);
  });

  t.test(`an EOI ${way} clears remote IRR of a masked entry, which does not send again`, async (t) => {
    const bench = waiting();
    bench.writeIoapic(lowOf(7), MASKED | LEVEL | 0x47);
    eoi(bench, 0x47);
    t.same(outputs(bench, 'apic'), []);
    t.equal(bench.readIoapic(lowOf(7)), MASKED | LEVEL | 0x47);
  });
}

t.test('the EOI register takes 4-byte writes only', async (t) => {
  const bench = waiting();
  writeEoi(bench, 0x47, 1);
  writeEoi(bench, 0x47, 2);
  t.same(outputs(bench, 'apic'), []);
  t.equal(bench.read(IOAPIC_BASE + IOEOI, 4), 0n, 'and reads 0');
});

t.test('version 0x11 has no EOI register', async (t) => {
  const bench = waiting(0x11);
  writeEoi(bench, 0x47);
  t.same(outputs(bench, 'apic'), []);
  bench.endOfInterrupt(0x47);
  t.same(outputs(bench, 'apic'), ['pin 7 vector 0x47 level @0'], 'a broadcast works all the same');
});

t.test('an EOI does not touch edge entries with its vector', async (t) => {
  const bench = new BenchMachine();
  writeEntry(bench, 5, 0x45);
  bench.setLine(5, 1);
  bench.takeEvents();
  bench.endOfInterrupt(0x45);
  t.same(outputs(bench), []);
});
