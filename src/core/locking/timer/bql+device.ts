import { BQL, DEVICE } from '../../sync/lock-names.js';
import type { TimerAxis } from '../axes.js';

/**
 * The device mutex under the big lock.
 *
 *     main loop ── BQL ── mutex ── callback
 */
export const bqlThenDevice: TimerAxis = {
  name: 'bql+device',
  lockless: false,
  kicks: false,
  keepsBql: true,
  takesBqlUnderMutex: false,
  enter(locks) {
    // Nothing is written yet: the victim of a deadlock can still let go of the big lock.
    locks.acquireUnder(BQL, DEVICE);
  },
  leave(locks) {
    locks.release(DEVICE);
  },
};
