import { BQL } from '../../../core/sync/lock-names.js';
import { HEAD } from '../../../runtime/events/event-ring.js';
import { MAIN_LOOP_THREAD } from '../../../runtime/threads/shared-map.js';
import * as H from '../history.js';
import type { Laboratory } from '../laboratory.js';
import type { Oracle } from '../oracle.js';

/**
 * The main loop has the BQL whenever it goes on to a callback or a piece of control work, for which it first makes sure of
 * room in the event ring; that it has it again after the last one, its release shows (`unheld release`).
 */
export function bqlRegained({ names, map }: Laboratory): Oracle {
  return {
    name: 'BQL regained',
    beforeAction({ words, threads }, thread, node, report) {
      if (node.kind !== H.LOAD || node.address !== map.eventRing + HEAD) return;
      const { id, name } = threads[thread];
      if (id !== MAIN_LOOP_THREAD || names.ownerOf(words, BQL) === id || isDraining(node)) return;
      report({ kind: 'assertion', summary: `${name} goes on to its next callback without the BQL` });
    },
  };

  /** Before it saves a machine it runs, like a vCPU thread, the callbacks that were left for one. */
  function isDraining(node: H.HistoryNode): boolean {
    for (let at = node.parent; at; at = at.parent) {
      if (at.kind === H.ADD && names.word(at.address) === 'dueWork.draining') return at.a > 0;
    }
    return false;
  }
}
