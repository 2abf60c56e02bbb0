import { DEFERRED_FLUSH } from '../../sync/call-sites.js';
import { BQL } from '../../sync/lock-names.js';
import type { IrqAxis, IrqTarget } from '../axes.js';
import type { DeferredLines } from '../deferred-list.js';
import { bigLocked } from './big-locked.js';

/**
 * Option 3, deferred calls: a change is recorded under the mutex and applied after it, under a BQL guard.
 *
 *     HPET (mutex held) ── record
 *           (released) ── BQL guard ── GSI router, IOAPIC, 8259 pair
 *
 * In between, others may decide and apply: then the line is wrong, for a while (late) or for good (inverted).
 */
export const deferred: IrqAxis = {
  ...bigLocked,
  name: 'deferred',
  numbered: true,
  end(target) {
    if (!target.deferred.end()) return;
    const { locks } = target;
    const site = locks.site;
    locks.site = DEFERRED_FLUSH;
    const entered = locks.guard(BQL);
    locks.site = site;
    target.deferred.apply(target, judged);
    locks.unguard(BQL, entered);
  },
  driveLine(target, line, source, level) {
    target.deferred.addLevel(line, source, level, target.decisions.decide(source, level));
  },
  pulseLine(target, line, source) {
    target.deferred.addPulse(line, source);
  },
  sendMsi(target, timer, address, data) {
    target.deferred.addMsi(timer, address, data);
  },
  setPitGate(target, level) {
    target.deferred.addPitGate(level);
  },
};

const judged: DeferredLines<IrqTarget> = {
  level(target, line, source, level, change) {
    target.decisions.apply(line, source, level, change, target.locks.site);
    target.driveLine(line, source, level);
  },
  pulse(target, line, source) {
    target.decisions.count();
    target.pulseLine(line, source);
  },
};
