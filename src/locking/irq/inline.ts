import { BQL, ROUTER } from '../../sync/lock-names.js';
import type { IrqAxis } from '../axes.js';

/**
 * A BQL guard at the point of change, under whatever is held. The big lock protects all interrupt controllers.
 *
 *     HPET (mutex held, or not) ── BQL guard ── GSI router, IOAPIC, 8259 pair
 */
export const inline: IrqAxis = {
  name: 'inline',
  lockless: false,
  enter(locks) {
    return locks.guard(BQL);
  },
  leave(locks, _controller, entered) {
    locks.unguard(BQL, entered);
  },
  driveLine(target, line, source, level) {
    const entered = this.enter(target.locks, ROUTER);
    target.driveLine(line, source, level);
    this.leave(target.locks, ROUTER, entered);
  },
  sendMsi(target, timer, address, data) {
    const entered = this.enter(target.locks, ROUTER);
    target.sendMsi(timer, address, data);
    this.leave(target.locks, ROUTER, entered);
  },
  setPitGate(target, level) {
    const entered = this.enter(target.locks, ROUTER);
    target.setPitGate(level);
    this.leave(target.locks, ROUTER, entered);
  },
};
