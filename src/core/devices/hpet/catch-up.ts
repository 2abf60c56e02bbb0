import type { U64 } from '../../memory/u64.js';

const TWO_53 = 2 ** 53;

/** Nanoseconds by which a periodic deadline follows the last one at least (quirks `min-1us`, `periodic-double`). */
export const MINIMUM_PERIOD_NS = 1000;

/**
 * The last deadline that is not after `time`, of a timer whose deadlines begin with `first`, for a match at `match`, and are
 * each the first match after the one before, or 1,000 ns after it if that is later. All in virtual ns; `first` is not after
 * `time`. Costs the same however many there are.
 */
export function lastPaced(first: number, match: number, period: number, time: number): number {
  const offset = (first - match) % period;
  const slack = period - MINIMUM_PERIOD_NS;
  // Each deadline that is put off comes nearer to a match by the slack.
  const putOff =
    slack > 0
      ? Math.max(0, Math.ceil((offset - slack) / slack))
      : offset === 0 && slack === 0
        ? 0
        : Number.POSITIVE_INFINITY;
  const paced = Math.floor((time - first) / MINIMUM_PERIOD_NS);
  if (paced < putOff) return first + paced * MINIMUM_PERIOD_NS;
  return Math.max(first + putOff * MINIMUM_PERIOD_NS, match + Math.floor((time - match) / period) * period);
}

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
