import { LOCK_COUNT } from '../../core/sync/lock-names.js';
import { lockAddress } from '../../core/sync/locks.js';
import * as H from './history.js';

/**
 * Merges histories that leave a thread in the same local state. `Locks.acquire` and `release` keep no record of how the
 * lock was acquired or whether another thread waited, and neither does one iteration of the wait loop. At the end of
 * each, the thread continues with the uncontended history and shares everything that follows. Effects on memory stay. A
 * test explores with and without merging, and compares.
 */
export class HistoryMerging {
  readonly #locks = new Set<number>();

  constructor(machine: number) {
    for (let lock = 0; lock < LOCK_COUNT; lock++) this.#locks.add(machine + lockAddress(lock));
  }

  /** The operation to continue from after `node` yielded `value`. `this.value` is what that operation yields. */
  value = 0;

  begin(node: H.HistoryNode, value: number, threadId: number): H.HistoryNode {
    this.value = value;
    if (!this.#locks.has(node.address)) return node;
    if (node.kind === H.COMPARE_EXCHANGE && node.a === 0 && value === 0) return this.#acquired(node, threadId);
    if (node.kind === H.WAIT || (node.kind === H.COMPARE_EXCHANGE && value !== node.a)) {
      return this.#again(node, value, threadId);
    }
    if (node.kind === H.NOTIFY && node.parent?.kind === H.EXCHANGE && node.parent.address === node.address) {
      this.value = threadId << 1;
      return node.parent;
    }
    return node;
  }

  /** The first failed attempt at a held lock: each iteration of the wait loop starts like the first. */
  #again(node: H.HistoryNode, value: number, threadId: number): H.HistoryNode {
    let look = node;
    for (let at = node.parent; at && at.address === node.address; look = at, at = at.parent) {
      if (at.kind !== H.COMPARE_EXCHANGE || at.a !== 0 || at.b !== threadId << 1) continue;
      if (look === node || look.kind !== H.LOAD) break;
      this.value = look.value;
      return look;
    }
    this.value = value;
    return node;
  }

  /** The operation that would have acquired a free lock. */
  #acquired(node: H.HistoryNode, threadId: number): H.HistoryNode {
    let at: H.HistoryNode | undefined = node;
    while (at && at.address === node.address) {
      if (at.kind === H.COMPARE_EXCHANGE && at.a === 0 && at.b === threadId << 1) return at;
      at = at.parent;
    }
    return node;
  }
}

/**
 * Treats acquisition as one blocking step, as exploration of the mutex alone justifies: an acquisition is disabled
 * until the lock is free. For scenarios that are too large with every futex operation.
 */
export class BlockingLocks {
  readonly #locks = new Set<number>();

  constructor(machine: number) {
    for (let lock = 0; lock < LOCK_COUNT; lock++) this.#locks.add(machine + lockAddress(lock));
  }

  isAcquisition(node: H.HistoryNode): boolean {
    return this.#locks.has(node.address) && H.isAcquisition(node);
  }
}
