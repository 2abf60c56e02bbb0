import t from 'tap';
import { U64 } from '../../../src/core/memory/u64.js';
import fc from '../../support/properties.js';

const RUNS = { numRuns: 2_000 };
const MASK = (1n << 64n) - 1n;

/** 64-bit values, often at the edges where carries and signs change. */
const u64 = fc.oneof(
  fc.bigInt({ min: 0n, max: MASK }),
  fc
    .tuple(fc.integer({ min: 0, max: 64 }), fc.integer({ min: -2, max: 2 }))
    .map(([bit, near]) => ((1n << BigInt(bit)) + BigInt(near)) & MASK),
);
const of = (value: bigint) => new U64().setBigInt(value);

t.test('a value comes back as it was set', async () => {
  fc.assert(
    fc.property(u64, (value) => {
      const register = of(value);
      return (
        register.toBigInt() === value &&
        register.lo === Number(value & 0xffffffffn) &&
        register.hi === Number(value >> 32n) &&
        new U64().copy(register).equals(register)
      );
    }),
    RUNS,
  );
});

t.test('addition and subtraction are modulo 2^64', async () => {
  fc.assert(
    fc.property(u64, u64, (a, b) => {
      const sum = of(a).add(of(b));
      const difference = of(a).subtract(of(b));
      const parts = of(b);
      return (
        sum.toBigInt() === ((a + b) & MASK) &&
        difference.toBigInt() === ((a - b) & MASK) &&
        of(a).addParts(parts.lo, parts.hi).equals(sum) &&
        of(a).subtractParts(parts.lo, parts.hi).equals(difference)
      );
    }),
    RUNS,
  );
});

t.test('multiplication is modulo 2^64', async () => {
  fc.assert(
    fc.property(u64, fc.integer({ min: 0, max: 2 ** 20 }), (a, factor) => {
      return of(a).multiply(factor).toBigInt() === ((a * BigInt(factor)) & MASK);
    }),
    RUNS,
  );
});

t.test('comparisons are unsigned, and the sign is bit 63', async () => {
  fc.assert(
    fc.property(u64, u64, (a, b) => {
      return (
        of(a).isBelow(of(b)) === a < b &&
        of(a).equals(of(b)) === (a === b) &&
        of(a).isZero() === (a === 0n) &&
        of(a).isNegative() === BigInt.asIntN(64, a) < 0n
      );
    }),
    RUNS,
  );
});

t.test('as numbers, values are exact below 2^53 and the nearest float64 beyond', async () => {
  fc.assert(
    fc.property(u64, (value) => {
      return of(value).toNumber() === Number(value) && of(value).toSigned() === Number(BigInt.asIntN(64, value));
    }),
    RUNS,
  );
});

t.test('as a signed ceiling, a value is the first float64 that is not less, give or take one', async () => {
  fc.assert(
    fc.property(u64, (value) => {
      const signed = BigInt.asIntN(64, value);
      const ceiling = of(value).toSignedCeiling();
      const magnitude = signed < 0n ? -signed : signed;
      // Two float64s of this size are so far apart at most.
      const step = magnitude <= 2n ** 53n - 2n ** 32n ? 0n : (magnitude >> 51n) + 2n;
      return BigInt(ceiling) >= signed && BigInt(ceiling) - signed <= step;
    }),
    RUNS,
  );
});

t.test('an integer of either sign is set as its two’s complement', async () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      const register = new U64().setNumber(value);
      return register.toBigInt() === BigInt.asUintN(64, BigInt(value)) && register.toSigned() === value;
    }),
    RUNS,
  );
});
