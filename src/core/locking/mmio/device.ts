import { DEVICE } from '../../sync/lock-names.js';
import type { MmioAxis } from '../axes.js';

/**
 * Lockless I/O: without the big lock, under the device mutex.
 *
 *     vCPU ── mutex ── HPET
 *     vCPU ── main counter
 */
export const device: MmioAxis = {
  name: 'device',
  underBql: false,
  enter(locks) {
    locks.acquire(DEVICE);
  },
  leave(locks) {
    locks.release(DEVICE);
  },
};
