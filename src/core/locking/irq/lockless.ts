import { ROUTER } from '../../sync/lock-names.js';
import type { IrqAxis } from '../axes.js';
import { enterRouter, leafLocked } from './leaf-locked.js';

/**
 * Option 2, lockless interrupt controllers: each has a leaf lock, and the big lock is never needed.
 *
 *     HPET (anything held) ── GSI router ── IOAPIC ── 8259 pair
 *     HPET (anything held) ── MSI, no lock
 */
export const lockless: IrqAxis = {
  ...leafLocked,
  name: 'lockless',
  appliesInPlace: true,
  driveLine(target, line, source, level) {
    const entered = enterRouter(target);
    target.driveLine(line, source, level);
    target.locks.unguard(ROUTER, entered);
  },
  pulseLine(target, line, source) {
    const entered = enterRouter(target);
    target.pulseLine(line, source);
    target.locks.unguard(ROUTER, entered);
  },
};
