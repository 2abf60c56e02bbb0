import { IRQ_UPDATE } from '../../sync/call-sites.js';
import { ROUTER } from '../../sync/lock-names.js';
import type { IrqAxis, IrqTarget } from '../axes.js';

/**
 * Option 2, lockless interrupt controllers: each has a leaf lock, and the big lock is never needed.
 *
 *     HPET (anything held) ── GSI router ── IOAPIC ── 8259 pair
 *     HPET (anything held) ── MSI, no lock
 */
export const lockless: IrqAxis = {
  name: 'lockless',
  lockless: true,
  numbered: false,
  enter(target, controller) {
    return target.locks.guard(controller);
  },
  leave(target, controller, entered) {
    target.locks.unguard(controller, entered);
  },
  begin() {},
  end() {},
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
  sendMsi(target, timer, address, data) {
    target.sendMsi(timer, address, data);
  },
  setPitGate(target, level) {
    const entered = enterRouter(target);
    target.setPitGate(level);
    target.locks.unguard(ROUTER, entered);
  },
};

function enterRouter({ locks }: IrqTarget): boolean {
  const site = locks.site;
  locks.site = IRQ_UPDATE;
  const entered = locks.guard(ROUTER);
  locks.site = site;
  return entered;
}
