import { GATEWAY_THREAD } from '../../../runtime/threads/shared-map.js';
import type { Laboratory } from '../laboratory.js';
import type { Oracle } from '../oracle.js';
import { Sockets } from '../sockets.js';
import { StillMemory } from '../still-memory.js';

/**
 * What a vCPU's client sees: replies in the order of its requests, and the interrupt that a request caused between the
 * reply to the one before it and its own.
 */
export function replies({ scenario, map }: Laboratory): Oracle {
  return {
    name: 'replies',
    afterTransition(system, thread, report) {
      if (!scenario.gateway || system.threads[thread].id !== GATEWAY_THREAD) return;
      const sockets = new Sockets(map, new StillMemory(system.words, 0));
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
