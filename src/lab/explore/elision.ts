import * as H from './history.js';

/** Thrown when a word turns out to be shared: what was explored so far passed over a scheduling point. */
export const RESTART = Symbol('begin anew');

/**
 * Which synchronisation words threads really share: those that two threads operate on, and one of them writes. Operations
 * on all others commute with whatever other threads do, and are no scheduling points. That is not known beforehand: a word
 * counts as not shared until it is seen to be; then the exploration begins anew. In the last round, no operation was
 * passed over that any reachable operation of another thread depends on.
 */
export class Elision {
  /** Per word: a bit per thread that operates on it, and one per thread that may write it. */
  readonly #users: Int32Array;
  readonly #writers: Int32Array;
  readonly #shared: Uint8Array;

  constructor(
    words: number,
    /** Whether to begin anew when a word turns out to be shared. */
    readonly restarts: boolean,
  ) {
    this.#users = new Int32Array(words);
    this.#writers = new Int32Array(words);
    this.#shared = new Uint8Array(words);
  }

  isSchedulingPoint(node: H.HistoryNode): boolean {
    return this.isVisible(node);
  }

  isVisible(node: H.HistoryNode): boolean {
    return node.address < 0 || node.kind === H.WAIT || this.#shared[node.address] !== 0;
  }

  /** Takes note that `thread` comes to an operation. */
  note(thread: number, node: H.HistoryNode): void {
    const { address } = node;
    if (address < 0 || this.#shared[address]) return;
    const writes = node.kind !== H.LOAD && node.kind !== H.WAIT && node.kind !== H.AWAIT_CHANGE;
    this.#users[address] |= 1 << thread;
    if (writes) this.#writers[address] |= 1 << thread;
    const users = this.#users[address];
    if ((users & (users - 1)) === 0 || this.#writers[address] === 0) return;
    this.#shared[address] = 1;
    if (this.restarts) throw RESTART;
  }
}
