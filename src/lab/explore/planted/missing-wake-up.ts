import type { Plant } from './plant.js';
import { plantedInLocks } from './planted-locks.js';

export const missingWakeUp: Plant = {
  name: 'missing-wake-up',
  mistake: 'a release wakes nobody',
  locking: 'lockless-timer',
  scenario: 'mutex-barging',
  kind: 'deadlock',
  options: plantedInLocks(() => true, { notify() {} }),
};
