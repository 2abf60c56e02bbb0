import { BQL } from '../../sync/lock-names.js';
import type { MmioAxis } from '../axes.js';

/**
 * Under the big lock, and no mutex.
 *
 *     vCPU ── BQL ── HPET
 */
export const bql: MmioAxis = {
  name: 'bql',
  underBql: true,
  enter(locks) {
    locks.acquire(BQL);
  },
  leave(locks) {
    locks.release(BQL);
  },
};
