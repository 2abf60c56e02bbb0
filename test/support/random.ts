export { Random } from '../../src/lab/random.js';

/** The same in each run, so that a run can be repeated; only the long tier looks for new cases. */
const FIXED_SEED = 20_260;

/** TEST_SEED; else a seed of this run's own in the long tier, and a fixed one in the others. */
export function seed(): number {
  const { TEST_SEED, TEST_TIER } = process.env;
  return Number(TEST_SEED ?? (TEST_TIER === 'long' ? Date.now() % 1_000_000 : FIXED_SEED));
}
