import type { U64 } from '../../memory/u64.js';

const TWO_53 = 2 ** 53;

/**
 * Moves a periodic comparator that is behind the counter on by whole periods, to the first value that is not behind
 * (`inclusive`: not behind or equal). Costs the same however far behind it is.
 */
export function catchUp(target: U64, counter: U64, period: U64, inclusive: boolean, scratch: U64): void {
  scratch.copy(counter).subtract(target);
  if (scratch.isZero() ? !inclusive : scratch.hi > 0x8000_0000 || (scratch.hi === 0x8000_0000 && scratch.lo > 0))
    return;
  const behind = scratch.toNumber();
  const step = period.toNumber();
  if (behind < TWO_53 && step < TWO_53) {
    const periods = inclusive ? Math.floor(behind / step) + 1 : Math.ceil(behind / step);
    const advance = periods * step;
    if (advance < TWO_53) {
      target.add(scratch.setNumber(advance));
      return;
    }
  }
  target.setBigInt(catchUpWide(target.toBigInt(), counter.toBigInt(), period.toBigInt(), inclusive));
}

/** The same for values beyond 2^53, where the sum may pass 2^64: "behind" is a signed comparison of the difference. */
function catchUpWide(target: bigint, counter: bigint, period: bigint, inclusive: boolean): bigint {
  const behind = BigInt.asUintN(64, counter - target);
  const half = 1n << 63n;
  const steps = inclusive ? behind / period + 1n : (behind + period - 1n) / period;
  const left = BigInt.asUintN(64, counter - (target + steps * period));
  const stillBehind = left !== 0n && left <= half;
  if (!stillBehind) return BigInt.asUintN(64, target + steps * period);
  // A period of 2^63 or more steps backwards; it ends where the difference turns its sign.
  const backwards = BigInt.asUintN(64, -period);
  const more = (half - left) / backwards + 1n;
  return BigInt.asUintN(64, target + (steps + more) * period);
}
