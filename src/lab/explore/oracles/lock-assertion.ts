import { XenFilter } from '../../../core/devices/gsi/xen-filter.js';
import type { Names } from '../names.js';
import type { Oracle } from '../oracle.js';
import { StillMemory } from '../still-memory.js';

/** No path was broken off because a lock that it asserts was not held. */
export function lockAssertion({ machine }: Names): Oracle {
  return {
    name: 'lock assertion',
    atRest(system, report) {
      const ports = { assertBql() {}, driveInput() {} };
      const memory = new StillMemory(system.words, 0);
      memory.select(machine);
      const failures = new XenFilter(memory, ports).failures();
      if (!failures) return;
      const thread = system.threads.find(({ id }) => id === failures.thread);
      const name = thread?.name ?? 'a thread';
      report({ kind: 'assertion', summary: `${name} came to the Xen filter without the BQL` });
    },
  };
}
