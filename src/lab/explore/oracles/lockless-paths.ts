import type { Design } from '../../../core/locking/axes.js';
import { BQL, LOCK_NAMES } from '../../../core/sync/lock-names.js';
import { READ, SubmissionRing } from '../../../runtime/rings/submission-ring.js';
import { FIRST_VCPU_THREAD, submissionRingAt } from '../../../runtime/threads/shared-map.js';
import * as H from '../history.js';
import type { Laboratory } from '../laboratory.js';
import type { Oracle } from '../oracle.js';
import { HPET } from '../requests.js';
import { StillMemory } from '../still-memory.js';
import type { System } from '../system.js';

/**
 * Where MMIO is lockless, a read of the main counter takes no lock; where the interrupt controllers are as well, no vCPU
 * takes the BQL for anything.
 */
export function locklessPaths({ names, map, scenario }: Laboratory, { mmio, irq }: Design): Oracle {
  return {
    name: 'lockless paths',
    beforeAction(system, thread, node, report) {
      if (mmio.underBql || !H.isAcquisition(node)) return;
      const lock = names.lockAt(node.address);
      const { id, name } = system.threads[thread];
      const vcpu = id - FIRST_VCPU_THREAD;
      if (lock < 0 || vcpu < 0 || scenario.lockers) return;
      if (irq.lockless && lock === BQL) report({ kind: 'assertion', summary: `${name} takes the BQL` });
      if (isCounterRead(system, vcpu)) {
        report({ kind: 'assertion', summary: `${name} takes ${LOCK_NAMES[lock]} to read the main counter` });
      }
    },
  };

  function isCounterRead({ words }: System, vcpu: number): boolean {
    const ring = new SubmissionRing(new StillMemory(words, 0), submissionRingAt(map, vcpu), map.submissions);
    const request = scenario.vcpus[vcpu][ring.completed()];
    return request?.operation === READ && request.address === HPET.COUNTER;
  }
}
