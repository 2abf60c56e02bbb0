import { GATEWAY_THREAD, submissionRingAt } from '../../../runtime/memory/shared-map.js';
import { READ, SubmissionRing, WRITE } from '../../../runtime/rings/submission-ring.js';
import type { Fixture } from '../fixture.js';
import * as H from '../history.js';
import type { MakeOracle, Oracle } from '../oracle.js';
import { differences, type Outcome, outcomeKey, outcomeOf } from '../outcome.js';
import { HPET } from '../requests.js';
import { Sockets } from '../sockets.js';
import { StateView } from '../state-view.js';

/** The outcomes of the reference design, where operations are atomic. */
export type Outcomes = Map<string, Outcome>;

/** At rest, the outcome is that of some sequential order of the same operations. */
export function linearizability(fixture: Fixture, allowed: Outcomes): Oracle {
  return {
    name: 'linearizability',
    atRest(system, report) {
      if (system.stuck().length > 0) return;
      const outcome = outcomeOf(fixture, system);
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

/** Collects outcomes. */
export function collect(fixture: Fixture, into: Outcomes): Oracle {
  return {
    name: 'collect',
    atRest(system) {
      if (system.stuck().length > 0) return;
      const outcome = outcomeOf(fixture, system);
      into.set(outcomeKey(outcome), outcome);
    },
  };
}

/**
 * A vCPU's client receives replies in the order of its requests. The interrupt that a request causes arrives between
 * the previous reply and its own.
 */
function replies({ scenario, map }: Fixture): Oracle {
  return {
    name: 'replies',
    afterTransition(system, thread, report) {
      if (!scenario.gateway || system.threads[thread].id !== GATEWAY_THREAD) return;
      const sockets = new Sockets(map, new StateView(system.state, 0));
      scenario.vcpus.forEach((frames, vcpu) => {
        frames.forEach(({ causes }, frame) => {
          const which = `request ${frame} of vCPU ${vcpu}`;
          if (causes && frame > 0 && sockets.isDelivered(vcpu, frame) && !sockets.isAnswered(vcpu, frame - 1)) {
            const summary = `the interrupt that ${which} caused comes before the reply to the request before it`;
            report({ kind: 'linearizability', summary });
          }
          if (!sockets.isAnswered(vcpu, frame)) return;
          if (frame > 0 && !sockets.isAnswered(vcpu, frame - 1)) {
            report({
              kind: 'linearizability',
              summary: `the reply to ${which} comes before that to the request before it`,
            });
          }
          if (causes && !sockets.isDelivered(vcpu, frame)) {
            report({
              kind: 'linearizability',
              summary: `the reply to ${which} comes before the interrupt that it caused`,
            });
          }
        });
      });
    },
  };
}

/** A vCPU's reads of the main counter never decrease, unless a thread writes or resets the counter. */
function counterMonotone({ scenario, map }: Fixture): Oracle {
  const isSet = scenario.vcpus.flat().some(({ operation, address }) => operation === WRITE && address === HPET.COUNTER);
  return {
    name: 'counter monotone',
    atRest(system, report) {
      if (isSet || scenario.control || system.stuck().length > 0) return;
      for (const [vcpu, requests] of scenario.vcpus.entries()) {
        const ring = new SubmissionRing(new StateView(system.state, 0), submissionRingAt(map, vcpu), map.submissions);
        let last = -1;
        for (const [position, { operation, address, size }] of requests.entries()) {
          if (operation !== READ || address !== HPET.COUNTER || size !== 8 || position >= ring.completed()) continue;
          const value = ring.high(position) * 2 ** 32 + ring.low(position);
          if (value < last) report({ kind: 'linearizability', summary: `vCPU ${vcpu} reads the main counter go back` });
          last = value;
        }
      }
    },
  };
}

/** Production code throws nothing. */
const failure: Oracle = {
  name: 'failure',
  afterTransition(system, thread, report) {
    const node = system.nodes[thread];
    if (node.kind !== H.FAILED) return;
    const message = node.error instanceof Error ? node.error.message : String(node.error);
    report({ kind: 'assertion', summary: `${system.threads[thread].name} failed: ${message}` });
  },
};

/** Outcomes and answers as the guest observes them. */
export const OUTCOME_ORACLES: readonly MakeOracle[] = [replies, counterMonotone, () => failure];
