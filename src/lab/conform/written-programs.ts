import { HPET_BASE, IOAPIC_BASE } from '../../core/devices/guest-map.js';
import type { Step } from '../replay/trace.js';
import type { Kind, Program, ProgramStep } from './program.js';

/** Programs by hand, for what random ones hardly meet. A number repeats the step before it so often. */
type Text = readonly (ProgramStep | number)[];

const write = (address: number, value: bigint | number, size = 8): Step => ({
  op: 'write',
  address,
  size,
  value: BigInt(value),
});
const read = (address: number, size = 8): Step => ({ op: 'read', address, size, value: undefined });
const hpet = (offset: number, value: bigint | number) => write(HPET_BASE + offset, value);
const clock = (ns: number): Step => ({ op: 'clock_step', ns });
const line = (pin: number, level: number): Step => ({ op: 'set_irq', pin, level });
const entry = (pin: number, low: number): Step[] => [
  write(IOAPIC_BASE, 0x10 + 2 * pin, 4),
  write(IOAPIC_BASE + 0x10, low, 4),
];
const out = (port: number, ...values: number[]): Step[] =>
  values.map((value) => ({ op: 'out', port, value: BigInt(value) }));
const input = (port: number): Step => ({ op: 'in', port, value: 0n });
const inta: Step = { op: 'inta', value: 0n };

const TEXTS: { readonly [name: string]: readonly [Kind, Text] } = {
  'HPET capabilities': ['hpet', [read(HPET_BASE), read(HPET_BASE + 0x100)]],
  'EOI storm': ['ioapic', [...entry(16, 0x8050), line(16, 1), { op: 'eoi', vector: 0x50 }, 10_001, clock(20_000_000)]],
  'ExtINT without a pair': ['ioapic', [...entry(5, 0x700), line(5, 1), line(5, 0), ...entry(5, 0x8700), line(5, 1)]],
  'comparator of 2^63 ns': [
    'hpet',
    [hpet(0x10, 1), clock(1000), hpet(0x100, 0x2004), hpet(0x108, 2n ** 63n / 10n + 5n), read(HPET_BASE + 0x108)],
  ],
  '32-bit one-shot over the wrap': [
    'hpet',
    [
      hpet(0xf0, 0xffff_ff00),
      hpet(0x100, 0x2104),
      hpet(0x108, 0x40),
      hpet(0x10, 1),
      clock(10_000),
      clock(43_000_000_000),
    ],
  ],
  'expired timers': [
    'hpet',
    [
      hpet(0x10, 1),
      hpet(0x100, 0x2004),
      hpet(0x108, 100),
      clock(2000),
      hpet(0x100, 0x2004),
      hpet(0x10, 0),
      hpet(0x10, 1),
    ],
  ],
  'counter written while it runs': [
    'hpet',
    [hpet(0x10, 1), clock(1000), hpet(0xf0, 7), read(HPET_BASE + 0xf0), hpet(0x10, 0), read(HPET_BASE + 0xf0)],
  ],
  'reset with a pending level timer': [
    'hpet',
    [
      ...[hpet(0x110, 0x1234_0000_0040n), hpet(0x100, 0x2006), hpet(0x108, 100), hpet(0x10, 1), clock(2000)],
      ...[{ op: 'reset' } as const, read(HPET_BASE + 0x20), read(HPET_BASE + 0x110)],
    ],
  ],
  'reset with a pending level timer at an edge-triggered entry': [
    'wired',
    [hpet(0x10, 1), hpet(0x108, 100), hpet(0x100, 0x2006), clock(2000), ...entry(16, 0x50), { op: 'reset' }],
  ],
  'reset between two periods': [
    'hpet',
    [
      ...[clock(159), hpet(0x128, 0x41), hpet(0x10, 1), { op: 'reset' } as const, hpet(0x120, 0xa0e), hpet(0x10, 3)],
      read(HPET_BASE + 0x20),
    ],
  ],
  'reset with the RTC high': ['hpet', [hpet(0x10, 2), { op: 'rtc', level: 1 }, { op: 'reset' }]],
  'special fully nested mode': [
    'pic',
    [
      ...[...out(0x20, 0x11), ...out(0x21, 0x20, 4, 0x11), ...out(0xa0, 0x11), ...out(0xa1, 0x28, 2, 1)],
      ...[line(9, 1), inta, line(3, 1), inta, line(8, 1), inta],
    ],
  ],
  'priorities before initialisation': ['pic', [line(3, 1), inta, line(0, 1), inta, line(12, 1), line(8, 1), inta]],
  'special mask mode': [
    'pic',
    [
      ...[...out(0x20, 0x11), ...out(0x21, 0x20, 4, 1), line(1, 1), inta, ...out(0x21, 2), line(6, 1)],
      ...[...out(0x20, 0x68), ...out(0x20, 0x20), ...out(0x20, 0x0b), input(0x20)],
    ],
  ],
};

export const WRITTEN: readonly Program[] = Object.entries(TEXTS).map(([name, [kind, text]]) => ({
  name,
  setup: { kind, hpet: { timers: 3, msi: false, routingCapability: 0x00ff_0104 }, ioapicVersion: 0x20 },
  actions: text.flatMap((step, n) => {
    const times = text[n + 1];
    return typeof step === 'number' ? [] : [{ step, times: typeof times === 'number' ? times : 1 }];
  }),
}));
