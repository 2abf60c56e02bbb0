import { CONTROL_RESTORE, CONTROL_SAVE } from '../../../core/machine/due-work.js';
import { MACHINE_WORDS } from '../../../core/memory/map.js';
import { ROUTER } from '../../../core/sync/lock-names.js';
import { lockAddress } from '../../../core/sync/locks.js';
import { HEAD, TAIL } from '../../../runtime/events/event-ring.js';
import * as H from '../history.js';
import type { Laboratory } from '../laboratory.js';
import type { Oracle } from '../oracle.js';

/** A snapshot and a restore emit no event: what was told before the snapshot is told by nobody again. */
export function snapshotSilent({ names, map, scenario }: Laboratory): Oracle {
  const work = scenario.control?.work;
  const tail = map.eventRing + TAIL;
  const router = names.machine + lockAddress(ROUTER);
  return {
    name: 'snapshot silent',
    beforeAction({ threads }, thread, node, report) {
      if (node.kind !== H.ADD || node.address !== tail) return;
      if ((work === CONTROL_SAVE || work === CONTROL_RESTORE) && isTransferring(node)) {
        const what = work === CONTROL_SAVE ? 'a snapshot' : 'a restore';
        report({ kind: 'linearizability', summary: `${threads[thread].name} emits an event in the middle of ${what}` });
      }
    },
  };

  /**
   * Whether the thread's step came to the transfer area after it last made sure of room in the event ring, as it does
   * before each callback and piece of control work, and has not let others at the controllers since.
   */
  function isTransferring(node: H.HistoryNode): boolean {
    for (let at = node.parent; at; at = at.parent) {
      if (at.address >= map.transfer && at.address < map.transfer + MACHINE_WORDS) return true;
      if (at.kind === H.LOAD && at.address === map.eventRing + HEAD) return false;
      if (at.kind === H.EXCHANGE && at.a === 0 && at.address === router) return false;
    }
    return false;
  }
}
