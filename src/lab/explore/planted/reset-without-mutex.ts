import type { Plant } from './plant.js';

export const resetWithoutMutex: Plant = {
  name: 'reset-without-mutex',
  mistake: 'control work enters the HPET without the mutex',
  locking: 'lockless-timer',
  scenario: 'reset-write',
  kind: 'race',
  design: 'device/device/inline/none',
};
