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
    if (takesBqlUnderMutex(design)) locks.release(BQL);
    locks.acquire(DEVICE);
  },
  leave(locks, design) {
    locks.release(DEVICE);
    if (takesBqlUnderMutex(design)) locks.acquire(BQL);
  },
};

/** Whether vCPUs take the big lock inside the mutex: a line change under the mutex does. */
function takesBqlUnderMutex(design: Design): boolean {
  return design.mmio.name === 'device' && design.irq.name === 'inline';
}
