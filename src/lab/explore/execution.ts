import type { Memory } from '../../core/memory/memory.js';
import { ExploredMemory } from './explored-memory.js';
import type { Footprint } from './footprint.js';
import * as H from './history.js';
import type { LogicalThread } from './logical-thread.js';
import type { SharedState } from './shared-state.js';

const SUSPENSION = Symbol('suspension');

/** The code under test is not deterministic, or keeps state outside shared memory. Always an error, never a finding. */
export class NotExplorable extends Error {
  override name = 'NotExplorable';
}

/** A thread's action and what it yielded. */
export type Observer = (thread: number, node: H.HistoryNode, value: number) => void;

/** The host times (ns) of a scenario, and the index of the current one. */
export interface HostClock {
  readonly times: readonly number[];
  now: number;
}

/**
 * Executes the production code of one logical thread up to its next synchronising operation. Each execution starts the
 * step from scratch with new objects. Earlier operations are answered from the thread's history and compared with it:
 * operation, address and operands. Throwing suspends the thread, so the code under test stays synchronous.
 */
export class Execution {
  readonly #path: H.HistoryNode[] = [];
  readonly #values: number[] = [];
  #history!: H.History;
  #replayed = 0;
  #last!: H.HistoryNode;
  #lastValue = 0;
  #suspended = false;
  /** Executions of production code. */
  runs = 0;
  /** Receives every action in order. If set, actions record their source lines. */
  observer: Observer | undefined;
  /** Receives each action that a thread reaches by a new history, before it is performed. */
  onNewAction: ((thread: number, node: H.HistoryNode) => void) | undefined;
  /** Collects what the next transitions access, if set. */
  footprint: Footprint | undefined;
  /** Index of the running thread. */
  thread = 0;
  /** Absolute addresses of data words at which an access is a scheduling point. */
  points: ReadonlySet<number> | undefined;

  constructor(
    readonly state: SharedState,
    readonly clock: HostClock,
  ) {}

  /** Makes the seam of the running thread. */
  makeMemory: () => Memory = () => new ExploredMemory(this);

  /**
   * Continues after `node` yielded `value`; returns the next synchronising operation or the end of the step. Performs
   * the plain accesses in between.
   */
  resume(thread: LogicalThread, node: H.HistoryNode, value: number): H.HistoryNode {
    const root = this.#recall(node, value);
    this.#history = thread.history;
    this.#suspended = false;
    this.runs++;
    let carried: readonly number[] | undefined;
    try {
      carried = thread.begin(this.makeMemory, root.carried)();
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
    return carried === undefined ? this.#append(H.FINISHED, -1, 0, 0) : this.#append(H.END, -1, 0, 0, carried);
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
   * The first spins do nothing. If the thread spins again on the same value and has only loaded since, another
   * iteration would lead back here, so it waits for the word to change.
   */
  spin(address: number, value: number): void {
    if (this.#suspended) throw SUSPENSION;
    if (this.#isSpinning(address, value)) this.operation(H.AWAIT_CHANGE, address, value, 0);
  }

  hostTime(): number {
    if (this.clock.times.length > 1) return this.operation(H.CLOCK, -1, 0, 0);
    return this.access(H.HOST_TIME, -1, 0);
  }

  /** Performs a plain access; returns what it yields. */
  perform(node: H.HistoryNode): number {
    const value = this.effect(node);
    this.footprint?.note(node);
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

  /** Recalls the thread's actions since the start of its step. */
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
        throw new NotExplorable('a step returned different carried values than before');
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
  #isSpinning(address: number, value: number): boolean {
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
