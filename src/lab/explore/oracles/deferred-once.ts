import type { Design } from '../../../core/locking/axes.js';
import { LineDecisions } from '../../../core/locking/line-decisions.js';
import { LineQueue } from '../../../core/locking/line-queue.js';
import type { Laboratory } from '../laboratory.js';
import type { Oracle } from '../oracle.js';
import { StillMemory } from '../still-memory.js';

/** At rest, every deferred line change was carried out exactly once: none waits anywhere, none was lost or doubled. */
export function deferredOnce({ names, scenario }: Laboratory, { irq }: Design): Oracle {
  return {
    name: 'deferred once',
    atRest(system, report) {
      if (scenario.lockers || system.stuck().length > 0) return;
      const memory = new StillMemory(system.words, 0);
      memory.select(names.machine);
      if (!new LineQueue(memory).isEmpty)
        report({ kind: 'linearizability', summary: 'a line change is left in the queue' });
      if (!irq.numbered) return;
      const decisions = new LineDecisions(memory);
      const { decided, pulses } = decisions.made();
      const { total } = decisions.counts();
      if (pulses > 0)
        report({ kind: 'linearizability', summary: `${pulses} edges were decided and never carried out` });
      if (decided > total)
        report({ kind: 'linearizability', summary: `${decided - total} line changes were never carried out` });
    },
  };
}
