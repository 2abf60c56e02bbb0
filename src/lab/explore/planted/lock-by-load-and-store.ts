import type { Plant } from './plant.js';
import { plantedInLocks } from './planted-locks.js';

export const lockByLoadAndStore: Plant = {
  name: 'lock-by-load-and-store',
  mistake: 'an acquisition looks at the lock and then stores its owner',
  locking: 'lockless-timer',
  scenario: 'mutex-barging',
  kind: 'race',
  options: plantedInLocks(() => true, {
    compareExchange(address, expected, value) {
      const old = this.load(address);
      if (old === expected) this.store(address, value);
      return old;
    },
  }),
};
