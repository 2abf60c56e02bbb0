import { DEVICE } from '../../sync/lock-names.js';
import type { TimerAxis } from '../axes.js';

/**
 * Option 1, the lockless timer: the main loop releases the big lock around the callback, by the timer's attribute.
 *
 *     main loop ── BQL ──┐         ┌── BQL ──
 *                        └─ mutex ─┘
 *                          callback
 */
export const device: TimerAxis = {
  name: 'device',
  lockless: true,
  kicks: false,
  keepsBql: false,
  takesBqlUnderMutex: false,
  enter(locks) {
    locks.acquire(DEVICE);
  },
  leave(locks) {
    locks.release(DEVICE);
  },
};
