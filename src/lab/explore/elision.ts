import * as H from './history.js';

/** Thrown when a word turns out to be shared: the exploration so far has skipped a scheduling point. */
export const RESTART = Symbol('restart');

/**
 * Elides scheduling points at unshared words, a partial-order reduction. A synchronisation word is shared if two
 * threads operate on it and one of them writes it. Operations on all other words commute with the operations of other
 * threads. A word counts as unshared until exploration finds it shared; then exploration restarts. The last run
 * therefore elides no operation that a reachable operation of another thread depends on.
 */
export class Elision {
  /** Per word, bit n: thread n operates on it, and may write it. */
  readonly #users: Int32Array;
  readonly #writers: Int32Array;
  readonly #shared: Uint8Array;

  /** Shared words so far. */
  count = 0;

  constructor(
    words: number,
    /** Whether to throw RESTART when a word turns out to be shared. */
    public restarts: boolean,
  ) {
    this.#users = new Int32Array(words);
    this.#writers = new Int32Array(words);
    this.#shared = new Uint8Array(words);
  }

  isSchedulingPoint(node: H.HistoryNode): boolean {
    return this.isVisible(node);
  }

  isVisible(node: H.HistoryNode): boolean {
    if (node.address < 0 || node.kind === H.WAIT || node.kind === H.AWAIT_CHANGE) return true;
    return this.#shared[node.address] !== 0;
  }

  /** Records that `thread` reaches an operation. */
  note(thread: number, node: H.HistoryNode): void {
    const { address } = node;
    if (address < 0 || this.#shared[address]) return;
    const writes = node.kind !== H.LOAD && node.kind !== H.WAIT && node.kind !== H.AWAIT_CHANGE;
    this.#users[address] |= 1 << thread;
    if (writes) this.#writers[address] |= 1 << thread;
    const users = this.#users[address];
    if ((users & (users - 1)) === 0 || this.#writers[address] === 0) return;
    this.#shared[address] = 1;
    this.count++;
    if (this.restarts) throw RESTART;
  }
}
