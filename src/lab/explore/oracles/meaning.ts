import type { Laboratory } from '../laboratory.js';
import type { Oracle } from '../oracle.js';
import { differences, type Outcome, outcomeKey, outcomeOf } from '../outcome.js';

/** What runs may come to: the outcomes of the reference designs, in which one operation is made after the other. */
export type Outcomes = Map<string, Outcome>;

/** At rest, the machine is what some sequential order of the same operations would have made of it. */
export function meaning(lab: Laboratory, allowed: Outcomes): Oracle {
  return {
    name: 'linearizability',
    atRest(system, report) {
      if (system.stuck().length > 0) return;
      const outcome = outcomeOf(lab, system);
      if (allowed.has(outcomeKey(outcome))) return;
      let nearest: string[] | undefined;
      for (const other of allowed.values()) {
        const differing = differences(outcome, other);
        if (!nearest || differing.length < nearest.length) nearest = differing;
      }
      report({ kind: 'linearizability', summary: `in the end ${nearest?.slice(0, 4).join(', ')}` });
    },
  };
}

/** Collects what runs come to. */
export function collect(lab: Laboratory, into: Outcomes): Oracle {
  return {
    name: 'collect',
    atRest(system) {
      if (system.stuck().length > 0) return;
      const outcome = outcomeOf(lab, system);
      into.set(outcomeKey(outcome), outcome);
    },
  };
}
