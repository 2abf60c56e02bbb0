import { reacquire } from '../../../core/locking/timer/reacquire.js';
import { BQL, DEVICE } from '../../../core/sync/lock-names.js';
import { type Plant, replaced } from './plant.js';

export const bqlRegainedLate: Plant = {
  name: 'bql-regained-late',
  mistake: 'a callback leaves without the BQL, which only the next one takes again',
  locking: 'drop-reacquire',
  scenario: 'two-edges',
  kind: 'assertion',
  options: {
    plant: () =>
      replaced(reacquire, 'enter', () => (locks) => {
        const held = locks.holds(BQL);
        if (held) locks.release(BQL);
        locks.acquire(DEVICE);
        if (!held) locks.acquire(BQL);
      }),
  },
};
