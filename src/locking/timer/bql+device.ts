import { DEVICE } from '../../sync/lock-names.js';
import type { TimerAxis } from '../axes.js';

/**
 * The device mutex under the big lock.
 *
 *     main loop ── BQL ── mutex ── callback
 */
export const bqlThenDevice: TimerAxis = {
  name: 'bql+device',
  enter(locks) {
    locks.acquire(DEVICE);
  },
  leave(locks) {
    locks.release(DEVICE);
  },
};
