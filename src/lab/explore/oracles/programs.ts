import type { Design } from '../../../core/locking/axes.js';
import { isAlive } from '../../../core/machine/configuration.js';
import { ControlSlot } from '../../../core/machine/control-slot.js';
import { submissionRingAt } from '../../../runtime/memory/shared-map.js';
import { SubmissionRing } from '../../../runtime/rings/submission-ring.js';
import type { Fixture } from '../fixture.js';
import type { MakeOracle, Oracle } from '../oracle.js';
import { observationKey, observedDifferences } from '../programs/observation.js';
import { observeSystem } from '../programs/observed-system.js';
import { applicationOf, referenceOutcomes } from '../programs/reference-program.js';
import { StateView } from '../state-view.js';

/** At rest, the outcome of a generated program is one that the reference has in some order of the atomic steps. */
export function referenceOracle(fixture: Fixture, design: Design): Oracle {
  const { program } = fixture.scenario;
  if (!program) throw new Error(`${fixture.scenario.name} is not a generated program`);
  const allowed = referenceOutcomes(fixture.scenario.name, design);
  const application = applicationOf(design);
  const kind = program.isOrdered ? 'not-linearizable' : 'not-serializable';
  return {
    name: 'reference',
    atRest(system, report) {
      if (system.stuck().length > 0) return;
      const observed = observeSystem(fixture, system, application);
      if (allowed.has(observationKey(observed))) return;
      let nearest: string[] | undefined;
      for (const other of allowed.values()) {
        const differing = observedDifferences(observed, other);
        if (!nearest || differing.length < nearest.length) nearest = differing;
      }
      const shown = nearest?.slice(0, 4).join('; ');
      report({ kind, summary: `none of the ${allowed.size} outcomes of the reference: ${shown}` });
    },
  };
}

/** At rest, every submitted request is answered and all control work is complete. */
function answered({ scenario, map, names }: Fixture): Oracle {
  return {
    name: 'answered',
    atRest(system, report) {
      if (scenario.lockers || system.stuck().length > 0) return;
      const view = new StateView(system.state, 0);
      for (let vcpu = 0; vcpu < scenario.vcpus.length; vcpu++) {
        const ring = new SubmissionRing(view, submissionRingAt(map, vcpu), map.submissions);
        if (ring.hasRequest()) report({ kind: 'deadlock', summary: `a request of vCPU ${vcpu} is not answered` });
      }
      view.select(names.machine);
      if (isAlive(view) && new ControlSlot(view).isRequested) {
        report({ kind: 'deadlock', summary: 'control work is not executed' });
      }
    },
  };
}

/** The ends of a run: what must be complete, whatever the outcome. */
export const END_ORACLES: readonly MakeOracle[] = [answered];
