import { ROUTER } from '../../sync/lock-names.js';
import type { IrqAxis } from '../axes.js';

/**
 * Option 2, lockless interrupt controllers: each has a leaf lock, and the big lock is never needed.
 *
 *     HPET (anything held) ── GSI router ── IOAPIC ── 8259 pair
 *     HPET (anything held) ── MSI, no lock
 */
export const lockless: IrqAxis = {
  name: 'lockless',
  lockless: true,
  enter(locks, controller) {
    return locks.guard(controller);
  },
  leave(locks, controller, entered) {
    locks.unguard(controller, entered);
  },
  driveLine(target, line, source, level) {
    const entered = this.enter(target.locks, ROUTER);
    target.driveLine(line, source, level);
    this.leave(target.locks, ROUTER, entered);
  },
  sendMsi(target, timer, address, data) {
    target.sendMsi(timer, address, data);
  },
  setPitGate(target, level) {
    const entered = this.enter(target.locks, ROUTER);
    target.setPitGate(level);
    this.leave(target.locks, ROUTER, entered);
  },
};
