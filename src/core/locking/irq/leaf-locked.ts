import { IRQ_UPDATE } from '../../sync/call-sites.js';
import { ROUTER } from '../../sync/lock-names.js';
import type { IrqAxis, IrqTarget } from '../axes.js';

/** The base of the values under which each interrupt controller has a leaf lock, and no path to them needs the BQL. */
export const leafLocked: Omit<IrqAxis, 'name' | 'appliesInPlace' | 'driveLine' | 'pulseLine'> = {
  lockless: true,
  numbered: false,
  takesBql: false,
  takesMutexUnderBql: false,
  coalesces: false,
  enter(target, controller) {
    return target.locks.guard(controller);
  },
  leave(target, controller, entered) {
    target.locks.unguard(controller, entered);
  },
  begin() {},
  end() {},
  sendMsi(target, timer, address, data) {
    target.sendMsi(timer, address, data);
  },
  setPitGate(target, level) {
    const entered = enterRouter(target);
    target.setPitGate(level);
    this.leave(target, ROUTER, entered);
  },
};

/** Takes the router's lock at the point of change. */
export function enterRouter({ locks }: IrqTarget): boolean {
  const site = locks.site;
  locks.site = IRQ_UPDATE;
  const entered = locks.guard(ROUTER);
  locks.site = site;
  return entered;
}
