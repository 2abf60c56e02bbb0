import { READ, SubmissionRing, WRITE } from '../../../runtime/rings/submission-ring.js';
import { submissionRingAt } from '../../../runtime/threads/shared-map.js';
import type { Laboratory } from '../laboratory.js';
import type { Oracle } from '../oracle.js';
import { HPET } from '../requests.js';
import { StillMemory } from '../still-memory.js';

/** Of two reads of the main counter by one vCPU, the later one reads no less, unless someone writes or resets it. */
export function counterMonotone({ scenario, map }: Laboratory): Oracle {
  const isSet = scenario.vcpus.flat().some(({ operation, address }) => operation === WRITE && address === HPET.COUNTER);
  return {
    name: 'counter monotone',
    atRest(system, report) {
      if (isSet || scenario.control || system.stuck().length > 0) return;
      for (const [vcpu, requests] of scenario.vcpus.entries()) {
        const ring = new SubmissionRing(new StillMemory(system.words, 0), submissionRingAt(map, vcpu), map.submissions);
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
