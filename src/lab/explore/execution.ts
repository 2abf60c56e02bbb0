import type { Memory } from '../../core/memory/memory.js';
import { ExploredMemory } from './explored-memory.js';
import * as H from './history.js';
import type { LogicalThread } from './logical-thread.js';
import type { SharedState } from './shared-state.js';

const SUSPENSION = Symbol('suspension');

/** The code under test did something that makes exploration meaningless: this is never a finding, always an error. */
export class NotExplorable extends Error {
  override name = 'NotExplorable';
}

/** A thread's action and what it yielded. */
export type Observer = (thread: number, node: H.HistoryNode, value: number) => void;

/** The times at which the host's clock may stand, and where it stands. */
export interface HostClock {
  readonly times: readonly number[];
  now: number;
}

/**
 * Executes the production code of one logical thread up to its next synchronising operation. The thread's step begins
 * anew with objects made anew; what it had done before is answered from its history, and compared with it: operation,
 * address and operands. Suspension is by throwing, so that the code under test stays synchronous.
 */
export class Execution {
  readonly #path: H.HistoryNode[] = [];
  readonly #values: number[] = [];
  #history!: H.History;
  #replayed = 0;
  #last!: H.HistoryNode;
  #lastValue = 0;
  #suspended = false;
  /** How often production code was run. */
  runs = 0;
  /** Told of all that happens, in order; then each action also knows where in the source it stands. */
  observer: Observer | undefined;
  /** Told of each action that a thread comes to by a new history, before it is done. */
  onNewAction: ((thread: number, node: H.HistoryNode) => void) | undefined;
  /** The thread that acts, by its index. */
  thread = 0;
  /** Data words, by absolute address, an access to which is a scheduling point. */
  points: ReadonlySet<number> | undefined;

  constructor(
    readonly state: SharedState,
    readonly clock: HostClock,
  ) {}

  /** The seam for the thread that runs. */
  makeMemory: () => Memory = () => new ExploredMemory(this);

  /**
   * Goes on from where `node` yielded `value`, and returns the next synchronising operation or the end of the step. Plain
   * accesses on the way are performed.
   */
  resume(thread: LogicalThread, node: H.HistoryNode, value: number): H.HistoryNode {
    const root = this.#recall(node, value);
    this.#history = thread.history;
    this.#suspended = false;
    this.runs++;
    let handedOn: readonly number[] | undefined;
    try {
      handedOn = thread.begin(this.makeMemory, root.carried)();
    } catch (thrown) {
      if (thrown === SUSPENSION) return this.#last;
      if (thrown instanceof NotExplorable) throw thrown;
      if (this.#suspended) throw new NotExplorable(`${thread.name} replaced the suspension by another exception`);
      const failed = this.#append(H.FAILED, -1, 0, 0);
      failed.error = thrown;
      return failed;
    }
    if (this.#suspended) throw new NotExplorable(`${thread.name} swallowed the suspension (a catch without rethrow)`);
    if (this.#replayed < this.#path.length) throw new NotExplorable(`${thread.name} ended earlier than before`);
    return handedOn === undefined ? this.#append(H.FINISHED, -1, 0, 0) : this.#append(H.END, -1, 0, 0, handedOn);
  }

  /** A plain access: no scheduling point, unless it is to one of `points`. */
  access(kind: number, address: number, operand: number): number {
    if (this.#suspended) throw SUSPENSION;
    if (this.points && this.isPoint(kind, address)) return this.operation(kind, address, operand, 0);
    if (this.#replayed < this.#path.length) return this.#replay(kind, address, operand, 0);
    const node = this.#append(kind, address, operand, 0);
    return this.#yielded(node, this.perform(node));
  }

  /** Whether an access to a data word is a scheduling point. */
  isPoint(kind: number, address: number): boolean {
    if (!this.points || kind >= H.LOAD) return false;
    return this.points.has(address) || ((kind === H.GET_TIME || kind === H.SET_TIME) && this.points.has(address + 1));
  }

  /** A synchronising operation: the thread is suspended before it. */
  operation(kind: number, address: number, a: number, b: number): number {
    if (this.#suspended) throw SUSPENSION;
    if (this.#replayed < this.#path.length) return this.#replay(kind, address, a, b);
    const node = this.#append(kind, address, a, b);
    this.#last = node;
    this.#suspended = true;
    throw SUSPENSION;
  }

  /**
   * A spin may end at any time; so at first it does nothing. If the thread has come round, with nothing but loads since
   * it spun here on the same value, then going on would only bring it here again: it waits for the word to change.
   */
  spin(address: number, value: number): void {
    if (this.#suspended) throw SUSPENSION;
    if (this.#cameRound(address, value)) this.operation(H.AWAIT_CHANGE, address, value, 0);
  }

  hostTime(): number {
    if (this.clock.times.length > 1) return this.operation(H.CLOCK, -1, 0, 0);
    return this.access(H.HOST_TIME, -1, 0);
  }

  /** Performs a plain access; returns what it yields. */
  perform(node: H.HistoryNode): number {
    const value = this.effect(node);
    this.observer?.(this.thread, node, value);
    return value;
  }

  /** The effect of a plain access; returns what it yields. */
  effect(node: H.HistoryNode): number {
    switch (node.kind) {
      case H.GET:
        return this.state.get(node.address);
      case H.GET_TIME:
        return this.state.getTime(node.address);
      case H.SET:
        this.state.set(node.address, node.a);
        return 0;
      case H.SET_TIME:
        this.state.setTime(node.address, node.a);
        return 0;
      default:
        return this.clock.times[this.clock.now];
    }
  }

  /** Takes in what the thread did since the beginning of its step. */
  #recall(node: H.HistoryNode, value: number): H.HistoryNode {
    this.#path.length = 0;
    this.#values.length = 0;
    let at = node;
    let yielded = value;
    while (at.parent) {
      this.#path.push(at);
      this.#values.push(yielded);
      yielded = at.parentValue;
      at = at.parent;
    }
    this.#path.reverse();
    this.#values.reverse();
    this.#replayed = 0;
    this.#last = node;
    this.#lastValue = value;
    return at;
  }

  #replay(kind: number, address: number, a: number, b: number): number {
    const node = this.#path[this.#replayed];
    if (this.observer) node.site ??= callers();
    this.#compare(node, kind, address, a, b);
    return this.#values[this.#replayed++];
  }

  #compare(node: H.HistoryNode, kind: number, address: number, a: number, b: number): void {
    if (node.kind === kind && node.address === address && Object.is(node.a, a) && Object.is(node.b, b)) return;
    throw new NotExplorable(
      `the code under test is not deterministic: ${H.KIND_NAMES[kind]} ${address} (${a}, ${b}) ` +
        `where it was ${H.KIND_NAMES[node.kind]} ${node.address} (${node.a}, ${node.b})`,
    );
  }

  #append(kind: number, address: number, a: number, b: number, carried: readonly number[] = []): H.HistoryNode {
    let node = this.#last.follow(this.#lastValue);
    if (node) {
      this.#compare(node, kind, address, a, b);
      if (!carried.every((part, i) => Object.is(part, node?.carried[i])))
        throw new NotExplorable('a step handed on something else than before');
    } else {
      node = this.#history.add(kind, address, a, b, this.#last, this.#lastValue, carried);
      this.onNewAction?.(this.thread, node);
    }
    if (this.observer) node.site ??= callers();
    return node;
  }

  #yielded(node: H.HistoryNode, value: number): number {
    this.#last = node;
    this.#lastValue = value;
    return value;
  }

  /** Whether the thread's last operations are loads, back to a load of this word that yielded this value twice. */
  #cameRound(address: number, value: number): boolean {
    const replaying = this.#replayed < this.#path.length;
    if (replaying) return this.#path[this.#replayed].kind === H.AWAIT_CHANGE;
    let seen = 0;
    let node: H.HistoryNode | undefined = this.#last;
    let yielded = this.#lastValue;
    while (node && node.kind !== H.ROOT) {
      if (node.kind >= H.LOAD) {
        if (node.kind !== H.LOAD) return false;
        if (node.address === address && yielded === value && ++seen === 2) return true;
      }
      yielded = node.parentValue;
      node = node.parent;
    }
    return false;
  }
}

/** The source lines that led to a memory access, innermost first. */
function callers(): string[] {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 40;
  const lines = (new Error().stack ?? '').split('\n').slice(1);
  Error.stackTraceLimit = limit;
  return lines.filter((line) => !/[/\\]explore[/\\]/.test(line) && !line.includes('node:'));
}
