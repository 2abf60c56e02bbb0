import type { Plant } from './plant.js';

export const counterReadSpins: Plant = {
  name: 'counter-read-spins',
  mistake: 'a writer of the main counter waits for the BQL of a reader that waits for the writer',
  locking: 'lockless-timer',
  scenario: 'counter-bql',
  kind: 'livelock',
  options: { machine: { seqlock: 'legacy' } },
};
