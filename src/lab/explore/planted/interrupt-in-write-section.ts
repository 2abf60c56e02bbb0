import type { Plant } from './plant.js';

export const interruptInWriteSection: Plant = {
  name: 'interrupt-in-write-section',
  mistake: 'interrupts are raised inside the write section of the main counter',
  locking: 'lockless-timer',
  scenario: 'callback-disable',
  kind: 'order',
  options: { machine: { seqlock: 'legacy' } },
};
