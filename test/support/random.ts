/** A small generator with a seed (mulberry32), so that a failure can be repeated. */
export class Random {
  #state: number;

  constructor(readonly seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer from 0 to `limit` - 1. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }
}

/** The same in each run, so that a run can be repeated; only the long tier looks for new cases. */
const FIXED_SEED = 20_260;

/** TEST_SEED; else a seed of this run's own in the long tier, and a fixed one in the others. */
export function seed(): number {
  const { TEST_SEED, TEST_TIER } = process.env;
  return Number(TEST_SEED ?? (TEST_TIER === 'long' ? Date.now() % 1_000_000 : FIXED_SEED));
}
