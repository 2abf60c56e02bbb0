import type { IrqAxis, IrqTarget } from '../axes.js';
import type { DeferredLines } from '../deferred-list.js';
import { bigLocked, flush, recording } from './big-locked.js';

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
  ...recording,
  name: 'deferred',
  takesMutexUnderBql: false,
  coalesces: false,
  end(target) {
    flush(target, judged);
  },
  driveLine(target, line, source, level) {
    target.deferred.addLevel(line, source, level, target.decisions.decide(source, level));
  },
  pulseLine(target, line, source) {
    target.deferred.addPulse(line, source);
  },
};

const judged: DeferredLines<IrqTarget> = {
  level(target, deferred) {
    target.decisions.apply(deferred, target.locks.site);
    target.driveLine(deferred.line, deferred.source, deferred.level);
  },
  pulse(target, line, source) {
    target.decisions.count();
    target.pulseLine(line, source);
  },
};
