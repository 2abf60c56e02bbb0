import { BQL, DEVICE } from '../../sync/lock-names.js';
import type { TimerAxis } from '../axes.js';

/**
 * Option 1, the lockless timer: the main loop releases the big lock around the callback.
 *
 *     main loop ── BQL ──┐         ┌── BQL ──
 *                        └─ mutex ─┘
 *                          callback
 */
export const device: TimerAxis = {
  name: 'device',
  enter(locks) {
    locks.release(BQL);
    locks.acquire(DEVICE);
  },
  leave(locks) {
    locks.release(DEVICE);
    locks.acquire(BQL);
  },
};
