import { nextLevels } from '../../devices/gsi/router.js';
import { QUIRKS } from '../../devices/quirks.js';
import { DEVICE } from '../../sync/lock-names.js';
import type { IrqAxis, IrqTarget } from '../axes.js';
import type { DeferredLines } from '../deferred-list.js';
import { bigLocked, flush, recording } from './big-locked.js';

/**
 * Deferred and revalidated: only *that* a line changed is recorded; when it is applied, its levels are read again. A
 * source that has the applied level once more, but changed in between, makes that change first: an edge-triggered pin, a
 * remote IRR or an 8259 input may latch it.
 *
 *     HPET (mutex held) ── record
 *           (released) ── BQL guard ── mutex ── read levels ── GSI router, IOAPIC, 8259 pair
 *
 * Pulses cannot be read again: they are counted, and the thread that applies the line next takes them.
 */
export const revalidated: IrqAxis = {
  ...bigLocked,
  ...recording,
  name: 'revalidated',
  takesMutexUnderBql: true,
  coalesces: true,
  end(target) {
    flush(target, asTheyAre, DEVICE);
  },
  driveLine(target, line, source, level) {
    const { decisions } = target;
    decisions.setLevels(line, nextLevels(decisions.levels(line), source, level, target.quirks));
    target.deferred.addLevel(line, source, level, decisions.decide(source, level));
  },
  pulseLine(target, line, source) {
    const { decisions } = target;
    const raised = nextLevels(decisions.levels(line), source, 1, target.quirks);
    decisions.setLevelsByPulse(line, nextLevels(raised, source, 0, target.quirks));
    target.deferred.addPulse(line, source);
  },
};

const asTheyAre: DeferredLines<IrqTarget> = {
  level(target, { line, source, level }, hasLater, earlier) {
    const { decisions } = target;
    decisions.count();
    if (!hasLater) {
      const changed = decisions.takeChanged(line);
      // What the list has applied already; a source that drops a shared line has changed the others' levels as well.
      const applied = earlier && target.quirks & QUIRKS['shared-line-drops'] ? changed : earlier;
      target.assignLine(line, source, decisions.levels(line), changed & ~applied);
    } else if ((decisions.changed(line) >> source) & 1) {
      // Brought up to date by the later entry, before anyone else can look.
      target.driveLine(line, source, level);
    }
  },
  pulse(target, line, source) {
    target.decisions.count();
    for (let left = target.decisions.takePulses(line); left > 0; left--) target.pulseLine(line, source);
  },
};
