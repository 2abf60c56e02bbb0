import { BQL, DEVICE } from '../../sync/lock-names.js';
import type { ControlAxis, Design } from '../axes.js';

/**
 * In the order of the rest of the design.
 *
 *     BQL → mutex:  main loop ── BQL ── mutex ── reset, legacy inputs, …
 *     mutex → BQL:  main loop ── BQL ──┐                    ┌── BQL ──
 *                                      └─ mutex ── work ────┘
 */
export const ordered: ControlAxis = {
  name: 'ordered',
  enter(locks, design) {
    if (!takesBqlUnderMutex(design)) locks.acquireUnder(BQL, DEVICE);
    else {
      locks.release(BQL);
      // Where vCPUs enter under the big lock alone, it is the guard, and the mutex comes on top.
      if (design.mmio.name === 'bql') locks.acquireBoth(DEVICE, BQL);
      else locks.acquire(DEVICE);
    }
  },
  leave(locks, design) {
    locks.release(DEVICE);
    if (takesBqlUnderMutex(design) && design.mmio.name !== 'bql') locks.acquire(BQL);
  },
};

/** Whether some path of the design takes the big lock inside the mutex. */
function takesBqlUnderMutex({ mmio, timer, irq }: Design): boolean {
  if (timer.name === 'reacquire') return true;
  return irq.name === 'inline' && (mmio.name === 'device' || timer.name === 'device');
}
