import type { Plant } from './plant.js';
import { plantedInLocks } from './planted-locks.js';

export const unlockByStore: Plant = {
  name: 'unlock-by-store',
  mistake: 'a release stores 0 and does not see that someone waits',
  locking: 'lockless-timer',
  scenario: 'mutex-barging',
  kind: 'deadlock',
  options: plantedInLocks(() => true, {
    exchange(address, value) {
      this.store(address, value);
      return 0;
    },
  }),
};
