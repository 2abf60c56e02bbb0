import t from 'tap';
import { catchUp, lastPaced } from '../../../../src/core/devices/hpet/catch-up.js';
import { U64 } from '../../../../src/core/memory/u64.js';
import fc from '../../../support/properties.js';

const RUNS = { numRuns: 2_000 };
const MASK = (1n << 64n) - 1n;
const HALF = 1n << 63n;

function caughtUp(target: bigint, counter: bigint, period: bigint, inclusive: boolean): bigint {
  const register = new U64().setBigInt(target);
  catchUp(register, new U64().setBigInt(counter), new U64().setBigInt(period), inclusive, new U64());
  return register.toBigInt();
}

/** What is meant: period by period, as long as the comparator is behind the counter by a signed comparison. */
function loop(target: bigint, counter: bigint, period: bigint, inclusive: boolean, limit: number): bigint | undefined {
  let comparator = target;
  for (let step = 0; step < limit; step++) {
    const behind = (counter - comparator) & MASK;
    if (behind === 0n ? !inclusive : behind > HALF) return comparator;
    comparator = (comparator + period) & MASK;
  }
  return undefined;
}

t.test('catching up equals adding periods one by one: small distances, anywhere in the counter’s range', async () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: MASK }),
      fc.bigInt({ min: -500n, max: 5_000n }),
      fc.bigInt({ min: 1n, max: 700n }),
      fc.boolean(),
      (counter, behind, period, inclusive) => {
        const target = (counter - behind) & MASK;
        return caughtUp(target, counter, period, inclusive) === loop(target, counter, period, inclusive, 6_000);
      },
    ),
    RUNS,
  );
});

t.test('catching up equals adding periods one by one: wide distances and periods', async () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: MASK }),
      fc.bigInt({ min: 0n, max: MASK }),
      fc.bigInt({ min: 1n << 54n, max: HALF - 1n }),
      fc.boolean(),
      (counter, target, period, inclusive) =>
        caughtUp(target, counter, period, inclusive) === loop(target, counter, period, inclusive, 1_000),
    ),
    RUNS,
  );
});

t.test('a period of 2^63 and more steps backwards, and ends where the loop ends', async () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: MASK }),
      fc.bigInt({ min: 0n, max: MASK }),
      fc.bigInt({ min: HALF + 1n, max: MASK - (1n << 54n) }),
      fc.boolean(),
      (counter, target, period, inclusive) =>
        caughtUp(target, counter, period, inclusive) === loop(target, counter, period, inclusive, 2_000),
    ),
    RUNS,
  );
});

t.test('catching up lands on the one place that BigInt arithmetic says', async () => {
  const distance = fc.oneof(
    fc.bigInt({ min: 0n, max: HALF }),
    fc.bigInt({ min: (1n << 53n) - 10_000n, max: (1n << 53n) + 10_000n }),
    fc.bigInt({ min: 0n, max: 1n << 53n }),
  );
  const period = fc.oneof(
    fc.bigInt({ min: 1n, max: (1n << 53n) + 10n }),
    fc.bigInt({ min: 1n, max: 1_000n }),
    fc.bigInt({ min: 1n, max: 1n << 40n }),
  );
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: MASK }),
      distance,
      period,
      fc.boolean(),
      (counter, behind, step, inclusive) => {
        const target = (counter - behind) & MASK;
        const result = caughtUp(target, counter, step, inclusive);
        const periods = inclusive ? behind / step + 1n : (behind + step - 1n) / step;
        return result === ((target + periods * step) & MASK);
      },
    ),
    { numRuns: 5_000 },
  );
});

t.test('whole multiples of the period, where a rounded quotient would be one off', async () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 1n, max: 1n << 26n }),
      fc.bigInt({ min: 1n, max: 1n << 27n }),
      fc.bigInt({ min: -1n, max: 1n }),
      fc.boolean(),
      (step, count, near, inclusive) => {
        const behind = step * count + near;
        const periods = inclusive ? behind / step + 1n : (behind + step - 1n) / step;
        return caughtUp(0n, behind, step, inclusive) === periods * step;
      },
    ),
    RUNS,
  );
});

/** What is meant: deadline by deadline, each at least a microsecond after the one before. */
function pacedLoop(first: number, match: number, period: number, time: number): number {
  for (let deadline = first; ; ) {
    const nextMatch = match + (Math.floor((deadline - match) / period) + 1) * period;
    const next = Math.max(nextMatch, deadline + 1000);
    if (next > time) return deadline;
    deadline = next;
  }
}

t.test('the last deadline that is a microsecond apart from others equals that of a loop', async () => {
  fc.assert(
    fc.property(
      fc.nat(5_000),
      fc.nat(1_500),
      fc.oneof(fc.integer({ min: 1, max: 130 }), fc.integer({ min: 98, max: 104 })),
      fc.nat(300_000),
      (match, late, ticks, later) => {
        const first = match + late;
        const args = [first, match, ticks * 10, first + later] as const;
        return lastPaced(...args) === pacedLoop(...args);
      },
    ),
    RUNS,
  );
});
