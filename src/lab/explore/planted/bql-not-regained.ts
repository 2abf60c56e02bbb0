import { reacquire } from '../../../core/locking/timer/reacquire.js';
import { BQL, DEVICE } from '../../../core/sync/lock-names.js';
import { type Plant, replaced } from './plant.js';

export const bqlNotRegained: Plant = {
  name: 'bql-not-regained',
  mistake: 'a callback gives the BQL back and leaves without it',
  locking: 'drop-reacquire',
  scenario: 'callback-acknowledge',
  kind: 'assertion',
  options: {
    plant: () =>
      replaced(reacquire, 'enter', () => (locks) => {
        locks.release(BQL);
        locks.acquire(DEVICE);
      }),
  },
};
