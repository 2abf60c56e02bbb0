import { BQL, DEVICE } from '../../sync/lock-names.js';
import type { TimerAxis } from '../axes.js';

/**
 * Drop and reacquire: inside the callback, where the main loop cannot see it, the big lock is released and taken again
 * under the mutex, in the order of the MMIO path.
 *
 *     main loop ── BQL ──┐
 *                        └─ mutex ── BQL ── callback
 */
export const reacquire: TimerAxis = {
  name: 'reacquire',
  lockless: false,
  kicks: false,
  keepsBql: false,
  takesBqlUnderMutex: true,
  enter(locks) {
    locks.release(BQL);
    locks.acquireBoth(DEVICE, BQL);
  },
  leave(locks) {
    locks.release(DEVICE);
  },
};
