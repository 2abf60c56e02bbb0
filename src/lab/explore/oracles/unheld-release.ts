import { LOCK_NAMES } from '../../../core/sync/lock-names.js';
import * as H from '../history.js';
import type { Names } from '../names.js';
import type { Oracle } from '../oracle.js';

/** A thread gives back only what it holds: above all the main loop, which must have the BQL again after each callback. */
export function unheldRelease(names: Names): Oracle {
  return {
    name: 'unheld release',
    beforeAction({ words, threads }, thread, node, report) {
      if (node.kind !== H.EXCHANGE || node.a !== 0) return;
      const lock = names.lockAt(node.address);
      const { id, name } = threads[thread];
      if (lock < 0 || names.ownerOf(words, lock) === id) return;
      report({ kind: 'assertion', summary: `${name} releases ${LOCK_NAMES[lock]}, which it does not hold` });
    },
  };
}
