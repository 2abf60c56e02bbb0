import { BQL, DEVICE } from '../../../core/sync/lock-names.js';
import { lockAddress } from '../../../core/sync/locks.js';
import { MAIN_LOOP_THREAD } from '../../../runtime/threads/shared-map.js';
import * as H from '../history.js';
import type { Laboratory } from '../laboratory.js';
import type { Oracle } from '../oracle.js';

/**
 * Informative: the main loop released the BQL around a callback, or control work, and someone else has it before the main
 * loop has it again. What it read under the BQL before need not hold after it.
 */
export function section({ names, scenario }: Laboratory): Oracle {
  const bql = names.machine + lockAddress(BQL);
  const device = names.machine + lockAddress(DEVICE);
  return {
    name: 'atomicity',
    afterTransition({ words, threads, nodes }, thread, report) {
      if (scenario.lockers || threads[thread].id === MAIN_LOOP_THREAD) return;
      if (names.ownerOf(words, BQL) !== threads[thread].id) return;
      const mainLoop = threads.findIndex(({ id }) => id === MAIN_LOOP_THREAD);
      if (!isInsideSection(nodes[mainLoop], bql, device)) return;
      const summary = `${threads[thread].name} has the bql in the middle of the main loop's section`;
      report({ kind: 'atomicity', summary, key: 'bql' });
    },
  };
}

/** Whether the thread, which has had the BQL in this step, is about to take the mutex, or the BQL after that. */
function isInsideSection(node: H.HistoryNode, bql: number, device: number): boolean {
  if (!H.isAcquisition(node) || (node.address !== bql && node.address !== device)) return false;
  let tookMutex = node.address === device;
  for (let at = node.parent; at; at = at.parent) {
    if (at.address === device && H.isAcquisition(at)) tookMutex = true;
    if (at.address === bql && H.isAcquisition(at) && tookMutex) return true;
  }
  return false;
}
