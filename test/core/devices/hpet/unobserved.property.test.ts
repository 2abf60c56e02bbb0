import t from 'tap';
import {
  HpetState,
  T_COMPARATOR,
  TIMERS as TIMER_BLOCKS,
  TIMER_WORDS,
} from '../../../../src/core/devices/hpet/state.js';
import { PROFILE_NAMES, type Profile } from '../../../../src/core/devices/quirks.js';
import { PRESET_NAMES, type PresetName } from '../../../../src/core/locking/presets.js';
import { classOfPreset } from '../../../../src/core/locking/verdicts.js';
import { BenchMachine } from '../../../support/bench-machine.js';
import fc from '../../../support/properties.js';

const TIMERS = 3;
const REGISTERS = [
  0x10,
  0x20,
  ...Array.from({ length: TIMERS }, (_, n) => [0x100 + 0x20 * n, 0x108 + 0x20 * n]).flat(),
];

const COMPARATORS = Array.from({ length: TIMERS }, (_, n) => TIMER_BLOCKS + n * TIMER_WORDS + T_COMPARATOR);

type Step =
  | { readonly op: 'write'; readonly offset: number; readonly size: 4 | 8; readonly value: bigint }
  | { readonly op: 'advance'; readonly ns: number }
  | { readonly op: 'read' | 'restore' | 'reset' };

const near = fc.bigInt({ min: 0n, max: 600n });
/** Level or not, enabled or not (seldom), periodic, VAL_SET, 32-bit. */
const configuration = fc
  .tuple(fc.boolean(), fc.nat(3), fc.boolean(), fc.boolean(), fc.boolean())
  .map(([level, enabled, periodic, set, narrow]) =>
    BigInt(
      (level ? 2 : 0) | (enabled === 0 ? 4 : 0) | (periodic ? 8 : 0) | (set ? 0x40 : 0) | (narrow ? 0x100 : 0) | 0x2000,
    ),
  );
const timer = fc.nat(TIMERS - 1);
const size = fc.constantFrom<4 | 8>(4, 8);
const write = (offset: number, value: bigint, size: 4 | 8 = 8): Step => ({ op: 'write', offset, size, value });

const anything = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.tuple(timer, configuration).map(([n, value]) => write(0x100 + 0x20 * n, value)) },
    {
      weight: 5,
      arbitrary: fc.tuple(timer, near, size).map(([n, value, bytes]) => write(0x108 + 0x20 * n, value, bytes)),
    },
    { weight: 2, arbitrary: fc.constantFrom(0n, 1n, 1n, 1n, 3n).map((value) => write(0x10, value)) },
    { weight: 1, arbitrary: fc.oneof(near, fc.constant(0xffff_fff0n)).map((value) => write(0xf0, value)) },
    {
      weight: 5,
      arbitrary: fc.oneof(fc.nat(60), fc.nat(3_000), fc.nat(50_000)).map((ns): Step => ({ op: 'advance', ns })),
    },
    {
      weight: 5,
      arbitrary: fc.constantFrom<Step>(
        { op: 'read' },
        { op: 'read' },
        { op: 'read' },
        { op: 'restore' },
        { op: 'restore' },
        { op: 'reset' },
      ),
    },
  ),
  { minLength: 5, maxLength: 40 },
);

/** Most programs begin with a periodic timer that nobody observes. */
const periodic = fc
  .tuple(timer, fc.constantFrom(0n, 0x100n), fc.bigInt({ min: 0n, max: 300n }), fc.bigInt({ min: 1n, max: 250n }))
  .map(([n, narrow, first, period]) => [
    write(0x100 + 0x20 * n, 0x2048n | narrow),
    write(0x108 + 0x20 * n, first),
    write(0x108 + 0x20 * n, period),
  ]);
const steps = fc
  .tuple(fc.array(periodic, { maxLength: 3 }), anything)
  .map(([begin, rest]) => [...begin.flat(), write(0x10, 1n), ...rest]);

/** Calls `work` while no timer counts as unobserved: all are armed. */
function eagerly<T>(work: () => T): T {
  const { isUnobserved } = HpetState.prototype;
  HpetState.prototype.isUnobserved = () => false;
  try {
    return work();
  } finally {
    HpetState.prototype.isUnobserved = isUnobserved;
  }
}

/** What a guest sees of a step: the events, and for a read all registers. */
function perform(bench: BenchMachine, step: Step): unknown {
  switch (step.op) {
    case 'write':
      bench.writeHpet(step.offset, step.value, step.size);
      break;
    case 'advance':
      bench.advance(step.ns);
      break;
    case 'reset':
      bench.reset();
      break;
    case 'restore': {
      const snapshot = bench.save();
      bench.restore(snapshot, bench.machine.clock.now());
      return COMPARATORS.map((word) => snapshot[word]);
    }
    case 'read':
      return REGISTERS.map((offset) => bench.readHpet(offset));
  }
  return bench.takeEvents();
}

function differs(profile: Profile, locking: PresetName, program: readonly Step[]): number {
  const make = () => new BenchMachine({ profile, locking, hpet: { timers: TIMERS } });
  const [lazy, eager] = [make(), make()];
  const read: Step = { op: 'read' };
  return [...program, read].findIndex((step) => {
    const one = perform(lazy, step);
    const other = eagerly(() => perform(eager, step));
    return JSON.stringify(one, text) !== JSON.stringify(other, text);
  });
}

function text(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `0x${value.toString(16)}` : value;
}

for (const profile of PROFILE_NAMES) {
  for (const locking of PRESET_NAMES.filter((name) => classOfPreset(name) === 'safe')) {
    t.test(`lazy and eager machines are equal with ${profile} under ${locking}`, async () => {
      fc.assert(
        fc.property(steps, (program) => differs(profile, locking, program) < 0),
        { numRuns: locking === 'lockless-irq' ? 600 : 100 },
      );
    });
  }
}

for (const profile of PROFILE_NAMES) {
  const isLazy = profile !== 'qemu-11.1';
  t.test(`a timer that nobody observes ${isLazy ? 'has no' : 'has a'} deadline with ${profile}`, async (t) => {
    for (const mode of [0, 8, 0x100, 0x108]) {
      const bench = new BenchMachine({ profile });
      const isArmed = () => bench.machine.timers.deadlineOf(0) >= 0;
      bench.writeHpet(0x10, 1);
      bench.writeHpet(0x100, 0x2040 | mode);
      bench.writeHpet(0x108, 500);
      t.equal(isArmed(), !isLazy, `mode 0x${mode.toString(16)}, not enabled`);
      bench.writeHpet(0x100, 0x2004 | mode);
      t.ok(isArmed(), 'enabled');
      bench.writeHpet(0x100, 0x2002 | mode);
      t.ok(isArmed(), 'level-triggered: its match sets a status bit');
      bench.writeHpet(0x100, 0x2000 | mode);
      t.equal(isArmed(), !isLazy, 'not enabled again');
      bench.writeHpet(0x10, 0);
      t.notOk(isArmed(), 'halted');
    }
  });
}
