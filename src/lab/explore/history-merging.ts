import { LOCK_COUNT } from '../../core/sync/lock-names.js';
import { lockAddress } from '../../core/sync/locks.js';
import * as H from './history.js';

/**
 * Histories that leave a thread in the same local state: `Locks.acquire` and `release` leave nothing behind of how the
 * lock was come by, and of whether anyone waited for it, nor does one round of waiting to the next. Where one ends, the thread goes on with the history in which
 * nobody else wanted the lock, and shares all that follows. What it did to memory stays. A test explores with and
 * without, and compares.
 */
export class HistoryMerging {
  readonly #locks = new Set<number>();

  constructor(machine: number) {
    for (let lock = 0; lock < LOCK_COUNT; lock++) this.#locks.add(machine + lockAddress(lock));
  }

  /** The operation to go on from after `node` yielded `value`; what that one is to yield is in `value`. */
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

  /** The first look at a lock that was taken: each further round of the waiting begins just like the first. */
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

  /** The operation at which the thread could have had the lock at once. */
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
 * Locks as what the mutex was shown to be by itself, in place of its every look and wait: an acquisition is held back
 * until the lock is free. For scenarios that are too large otherwise.
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
