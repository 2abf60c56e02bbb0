import { LineDecisions } from '../../../core/locking/line-decisions.js';
import type { Laboratory } from '../laboratory.js';
import type { Oracle } from '../oracle.js';
import { StillMemory } from '../still-memory.js';

/** A deferred line change was applied when its source had decided otherwise (late), or after that decision (inverted). */
export function stale(lab: Laboratory): Oracle {
  return {
    name: 'stale',
    atRest(system, report) {
      const memory = new StillMemory(system.words, 0);
      memory.select(lab.names.machine);
      const { late, inverted } = new LineDecisions(memory).counts();
      if (inverted > 0)
        report({ kind: 'stale', summary: 'an older line change is applied after a newer one (inverted)' });
      if (late > 0)
        report({ kind: 'stale', summary: 'a line change is applied when its source has changed again (late)' });
    },
  };
}
