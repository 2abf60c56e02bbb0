import { BQL } from '../../sync/lock-names.js';
import type { IrqAxis } from '../axes.js';

/** What the axis values have in common under which the big lock protects all interrupt controllers. */
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
