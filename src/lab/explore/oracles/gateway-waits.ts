import { GATEWAY_THREAD } from '../../../runtime/threads/shared-map.js';
import { WAIT } from '../history.js';
import type { Names } from '../names.js';
import type { Oracle } from '../oracle.js';

/** The gateway waits for nobody: it sleeps on its own doorbell, and that is all. */
export function gatewayWaits(names: Names): Oracle {
  return {
    name: 'gateway waits',
    afterTransition(system, thread, report) {
      const { id, idleAt } = system.threads[thread];
      if (id !== GATEWAY_THREAD) return;
      const node = system.nodes[thread];
      const waits = node.kind === WAIT && node.address !== idleAt;
      if (!waits && !system.blocking?.isAcquisition(node)) return;
      report({ kind: 'assertion', summary: `the gateway waits for ${names.word(node.address)}` });
    },
  };
}
