import t from 'tap';
import { MainCounter } from '../../../../src/core/devices/hpet/main-counter.js';
import { MACHINE_WORDS } from '../../../../src/core/memory/map.js';
import { SharedMemory } from '../../../../src/core/memory/shared-memory.js';
import { U64 } from '../../../../src/core/memory/u64.js';
import fc from '../../../support/properties.js';

const RUNS = { numRuns: 500 };
const MODULUS = 1n << 64n;

/** The counter in arithmetic: a value, and since when it counts, if it does. */
class Model {
  value = 0n;
  since: bigint | undefined;

  constructor(readonly moduloNs: boolean) {}

  at(now: number): bigint {
    if (this.since === undefined) return this.value;
    const ns = this.value * 10n + BigInt(now) - this.since;
    return this.moduloNs ? (ns % MODULUS) / 10n : (ns / 10n) % MODULUS;
  }
}

type Command =
  | { readonly does: 'write'; readonly value: bigint }
  | { readonly does: 'start' | 'halt' }
  | { readonly does: 'wait'; readonly ns: number };

const value = fc.oneof(
  fc.bigInt({ min: 0n, max: MODULUS - 1n }),
  fc.bigInt({ min: MODULUS - 1_000n, max: MODULUS - 1n }),
  fc.bigInt({ min: MODULUS / 10n - 1_000n, max: MODULUS / 10n + 1_000n }),
  fc.bigInt({ min: 0n, max: 1_000n }),
);
const wait = fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 2 ** 48 }));
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ does: fc.constant('write' as const), value }),
  fc.record({ does: fc.constantFrom('start' as const, 'halt' as const) }),
  fc.record({ does: fc.constant('wait' as const), ns: wait }),
);

/** Does the commands to both, and compares what they read after each. */
function agrees(commands: readonly Command[], moduloNs: boolean): boolean {
  const counter = new MainCounter(new SharedMemory(new SharedArrayBuffer(MACHINE_WORDS * 4)));
  counter.reset(moduloNs);
  const model = new Model(moduloNs);
  const read = new U64();
  let now = 0;
  for (const step of commands) {
    if (step.does === 'wait') {
      now += step.ns;
    } else if (step.does === 'start' && model.since === undefined) {
      model.since = BigInt(now);
      counter.start(now);
    } else if (step.does === 'halt' && model.since !== undefined) {
      model.value = model.at(now);
      model.since = undefined;
      counter.halt({ now: () => now }, new U64());
    } else if (step.does === 'write' && model.since === undefined) {
      model.value = step.value;
      counter.change({ now: () => now }, new U64(), (value) => value.setBigInt(step.value));
    }
    counter.read(read, { now: () => now });
    if (read.toBigInt() !== model.at(now)) return false;
    counter.valueAt(read, now);
    if (read.toBigInt() !== model.at(now)) return false;
  }
  return true;
}

const commands = fc.array(command, { minLength: 1, maxLength: 20 });

t.test('written, started, halted and read at any time, the counter is the one of arithmetic', async () => {
  fc.assert(
    fc.property(commands, (steps) => agrees(steps, false)),
    RUNS,
  );
});

t.test('under quirk huge-comparator it is modulo 2^64 ns', async () => {
  fc.assert(
    fc.property(commands, (steps) => agrees(steps, true)),
    RUNS,
  );
});

t.test('from every value the counter reaches a tick at the time that it says', async () => {
  const time = fc.integer({ min: 0, max: 2 ** 50 });
  fc.assert(
    fc.property(value, time, fc.integer({ min: 0, max: 2 ** 46 }), (from, start, ticks) => {
      const counter = new MainCounter(new SharedMemory(new SharedArrayBuffer(MACHINE_WORDS * 4)));
      counter.reset(false);
      counter.change({ now: () => start }, new U64(), (value) => value.setBigInt(from));
      counter.start(start);
      const tick = new U64().setBigInt((from + BigInt(ticks)) % MODULUS);
      const at = new U64();
      counter.timeOf(tick, at);
      const read = new U64();
      counter.valueAt(read, at.toSigned());
      const early = new U64();
      if (ticks > 0) counter.valueAt(early, at.toSigned() - 1);
      return (
        at.toSigned() === start + ticks * 10 &&
        read.equals(tick) &&
        (ticks === 0 || early.toBigInt() !== tick.toBigInt())
      );
    }),
    RUNS,
  );
});
