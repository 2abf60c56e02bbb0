import { COUNTER } from '../../../core/devices/hpet/state.js';
import type { Design } from '../../../core/locking/axes.js';
import { takesBqlUnderMutex } from '../../../core/locking/control/ordered.js';
import { BQL, DEVICE, LOCK_NAMES } from '../../../core/sync/lock-names.js';
import { WRITING } from '../../../core/sync/sequence-lock.js';
import * as H from '../history.js';
import type { Names } from '../names.js';
import type { Oracle } from '../oracle.js';

/**
 * Locks are taken in the declared order: BQL and mutex as the design says, then the leaf locks, each once and in their
 * order. And none is taken inside the write section of the main counter, whose readers may hold it and wait.
 */
export function order(names: Names, design: Design): Oracle {
  const declared = takesBqlUnderMutex(design) ? [DEVICE, BQL] : [BQL, DEVICE];
  const rank = (lock: number) => (lock <= DEVICE ? declared.indexOf(lock) : lock);
  return {
    name: 'lock order',
    beforeAction({ words, threads }, thread, node, report) {
      if (!H.isAcquisition(node)) return;
      const lock = names.lockAt(node.address);
      if (lock < 0) return;
      const { id, name } = threads[thread];
      for (let held = 0; held < LOCK_NAMES.length; held++) {
        if (names.ownerOf(words, held) !== id || rank(held) < rank(lock)) continue;
        const summary = `${name} takes ${LOCK_NAMES[lock]} under ${LOCK_NAMES[held]}, against the order`;
        report({ kind: 'lock-order', summary });
      }
      if (words.get(names.machine + COUNTER) & WRITING && opened(node, names.machine + COUNTER)) {
        const summary = `${name} takes ${LOCK_NAMES[lock]} inside the main counter's write section`;
        report({ kind: 'lock-order', summary });
      }
    },
  };
}

/** Whether it was this thread that opened the section, in its present step. */
function opened(node: H.HistoryNode, counter: number): boolean {
  for (let at = node.parent; at; at = at.parent) {
    if (at.kind === H.STORE && at.address === counter) return (at.a & WRITING) !== 0;
  }
  return false;
}
