import { BQL, DEVICE } from '../../sync/lock-names.js';
import { type ControlAxis, type Design, takesBqlUnderMutex } from '../axes.js';

/**
 * In the order of the rest of the design.
 *
 *     BQL → mutex:  main loop ── BQL ── mutex ── reset, legacy inputs, …
 *     mutex → BQL:  main loop ── BQL ──┐                    ┌── BQL ──
 *     or no order:                     └─ mutex ── work ────┘
 */
export const ordered: ControlAxis = {
  name: 'ordered',
  takesMutex: true,
  followsOrder: true,
  enter(locks, design) {
    if (keepsBql(design)) locks.acquireUnder(BQL, DEVICE);
    else {
      locks.release(BQL);
      // Where vCPUs enter under the big lock alone, it is the guard, and the mutex comes on top.
      if (design.mmio.underBql) locks.acquireBoth(DEVICE, BQL);
      else locks.acquire(DEVICE);
    }
  },
  leave(locks, design) {
    locks.release(DEVICE);
    if (!keepsBql(design) && !design.mmio.underBql) locks.acquire(BQL);
  },
};

/** Whether the mutex may be taken under the big lock: some other path does so, or all enter under the big lock. */
function keepsBql(design: Design): boolean {
  const { mmio, timer, irq } = design;
  if (takesBqlUnderMutex(design)) return false;
  return mmio.underBql || timer.keepsBql || irq.takesMutexUnderBql;
}
