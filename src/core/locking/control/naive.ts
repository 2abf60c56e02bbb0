import { BQL, DEVICE } from '../../sync/lock-names.js';
import type { ControlAxis } from '../axes.js';

/**
 * The device mutex under the big lock, whatever the rest of the design does.
 *
 *     main loop ── BQL ── mutex ── reset, legacy inputs, …
 */
export const naive: ControlAxis = {
  name: 'naive',
  takesMutex: true,
  followsOrder: false,
  enter(locks) {
    locks.acquireUnder(BQL, DEVICE);
  },
  leave(locks) {
    locks.release(DEVICE);
  },
};
