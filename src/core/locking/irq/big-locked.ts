import { DEFERRED_FLUSH } from '../../sync/call-sites.js';
import { BQL } from '../../sync/lock-names.js';
import type { IrqAxis, IrqTarget } from '../axes.js';
import type { DeferredLines } from '../deferred-list.js';

/**
 * The base of the values under which the BQL protects all interrupt controllers: `begin` and `end` frame a list of
 * deferred changes.
 */
export const bigLocked: Pick<IrqAxis, 'lockless' | 'enter' | 'leave' | 'begin'> = {
  lockless: false,
  enter(target) {
    return target.locks.guard(BQL);
  },
  leave(target, _controller, entered) {
    target.locks.unguard(BQL, entered);
  },
  begin(target) {
    target.deferred.begin();
  },
};

/** Of the values that defer everything: messages and the PIT gate join the list in their order. */
export const recording: Pick<IrqAxis, 'numbered' | 'takesBql' | 'appliesInPlace' | 'sendMsi' | 'setPitGate'> = {
  numbered: true,
  takesBql: false,
  appliesInPlace: false,
  sendMsi(target, timer, address, data) {
    target.deferred.addMsi(timer, address, data);
  },
  setPitGate(target, level) {
    target.deferred.addPitGate(level);
  },
};

/**
 * Ends a frame; at the outermost end, applies the list under a BQL guard as `lines` says. `inner` is a lock that it takes
 * under the BQL as well.
 */
export function flush(target: IrqTarget, lines: DeferredLines<IrqTarget>, inner?: number): void {
  const { locks, deferred } = target;
  if (!deferred.end()) return;
  const site = locks.site;
  locks.site = DEFERRED_FLUSH;
  const entered = locks.guard(BQL);
  if (inner !== undefined) locks.acquireUnder(BQL, inner);
  locks.site = site;
  deferred.apply(target, lines);
  if (inner !== undefined) locks.release(inner);
  locks.unguard(BQL, entered);
}
