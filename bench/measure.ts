import { summary } from '../src/lab/compare/summary.js';
import type { Measured } from './results.js';

/** Of everything that is measured in rounds. */
export const ROUNDS = 9;
const ROUND_NS = 20e6;

/** The median of `rounds`. */
export function measure(call: () => void): number {
  return median(rounds(call));
}

/** Nanoseconds of processor time per call, with the interval of the median. */
export function measureCall(call: () => void): Measured {
  return { ...summary(rounds(call)), unit: 'ns' };
}

/**
 * Nanoseconds of processor time per call, of nine rounds after some to warm up. Processor time, because other programs
 * on the machine would show in the clock.
 */
function rounds(call: () => void): number[] {
  let calls = 1000;
  while (timeOf(calls, call) < ROUND_NS / 10) calls *= 2;
  calls *= 10;
  return Array.from({ length: ROUNDS }, () => timeOf(calls, call) / calls);
}

/** Microseconds by the clock per call that takes its turn on the event loop, of nine rounds. */
export async function measureAsync(calls: number, call: () => Promise<unknown>): Promise<Measured> {
  for (let i = 0; i < calls; i++) await call();
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const begin = process.hrtime.bigint();
    for (let i = 0; i < calls; i++) await call();
    rounds.push(Number(process.hrtime.bigint() - begin) / calls / 1000);
  }
  return { ...summary(rounds), unit: 'µs' };
}

function timeOf(calls: number, call: () => void): number {
  const begin = process.cpuUsage();
  for (let i = 0; i < calls; i++) call();
  const { user, system } = process.cpuUsage(begin);
  return (user + system) * 1000;
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/**
 * Takes turns between what is measured and what it is measured against, which comes before it and after it in each round.
 * Nothing is kept of `warmUp` rounds at the beginning.
 */
export async function alternate(
  base: () => Promise<number> | number,
  own: () => Promise<number> | number,
  { warmUp = 0 } = {},
): Promise<{ first: number[]; own: number[]; second: number[] }> {
  const figures = { first: [] as number[], own: [] as number[], second: [] as number[] };
  for (let round = -warmUp; round < ROUNDS; round++) {
    const before = await base();
    const between = await own();
    const after = await base();
    if (round < 0) continue;
    figures.first.push(before);
    figures.own.push(between);
    figures.second.push(after);
  }
  return figures;
}

/** Measures twice in each round. */
export async function twice<T>(call: () => Promise<T> | T): Promise<{ first: T[]; second: T[] }> {
  const figures = { first: [] as T[], second: [] as T[] };
  for (let round = 0; round < ROUNDS; round++) {
    figures.first.push(await call());
    figures.second.push(await call());
  }
  return figures;
}

/** Half of what lies between the quartiles of what should all be the same: what a ratio may be off by. */
export function halfSpread(ratios: readonly number[]): number {
  const sorted = [...ratios].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))];
  return (at(0.75) - at(0.25)) / 2;
}
