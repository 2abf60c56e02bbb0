import { type Execution, NotExplorable } from './execution.js';
import * as H from './history.js';
import type { BlockingLocks, HistoryMerging } from './history-merging.js';
import type { LogicalThread } from './logical-thread.js';
import { mix, type SharedState } from './shared-state.js';

/** Decides which operations are scheduling points. `note` receives each operation that a thread reaches. */
export interface Points extends H.Visibility {
  isSchedulingPoint(node: H.HistoryNode): boolean;
  note(thread: number, node: H.HistoryNode): void;
}

/** Status of a thread at its node. For a waiting thread: WAITING + its position in the queue of waiters. */
export const READY = 0;
export const WOKEN = 1;
export const WAITING = 2;

/** Words of a saved position: node, status, time index of the start of a wait. */
const POSITION_WORDS = 3;
/** Hash indices of positions, apart from those of memory slots. */
const POSITION_HASH = 1 << 20;
const CLOCK_HASH = 1 << 21;
const SCHEDULE_HASH = 1 << 22;

/** The transition of the host clock to its next time. */
export const TICK = 63;
/** Values that an observer receives for a wait. */
export const BLOCKED = -1;
export const WAS_WOKEN = -2;
export const TIMED_OUT = -3;

/** Added to a thread's index: its timed wait ends by timeout. */
export const TIMEOUT = 64;

/**
 * The explored state: shared words, and each thread's history so far. A transition is one synchronising operation of
 * one thread, with all plain accesses up to its next.
 */
export class System {
  readonly nodes: H.HistoryNode[];
  readonly status: Int32Array;
  readonly waitingSince: Int32Array;
  readonly hash = new Int32Array(4);
  /** Synchronising operations so far, scheduling points or not. */
  operations = 0;

  constructor(
    readonly threads: readonly LogicalThread[],
    readonly state: SharedState,
    readonly execution: Execution,
    readonly points: Points,
    /** Undefined: no histories are merged. */
    readonly merging: HistoryMerging | undefined,
    /** Disables an acquisition until the lock is free. */
    readonly blocking: BlockingLocks | undefined,
    /** Called when a thread ended a step, before its next one starts. */
    readonly onStepEnd: (thread: number) => void,
  ) {
    this.status = new Int32Array(threads.length);
    this.waitingSince = new Int32Array(threads.length);
    this.nodes = threads.map((thread) => thread.history.root(thread.firstCarried, H.NO_ACCESSES));
  }

  /** Runs every thread up to its first operation. */
  start(started: (thread: number) => void = () => {}): void {
    for (let thread = 0; thread < this.threads.length; thread++) {
      this.execution.thread = thread;
      this.#advance(thread, this.nodes[thread], 0);
      started(thread);
    }
  }

  /** Whether a thread could make a transition now, apart from a timeout. */
  isEnabled(thread: number): boolean {
    const node = this.nodes[thread];
    if (node.kind >= H.END) return false;
    if (this.status[thread] >= WAITING) return false;
    if (node.kind === H.AWAIT_CHANGE) return this.state.get(node.address) !== node.a;
    return !this.blocking?.isAcquisition(node) || this.state.get(node.address) === 0;
  }

  /** Whether a thread's wait may time out now. At the last time, work that takes time ends: no thread reads a later one. */
  mayTimeOut(thread: number): boolean {
    const node = this.nodes[thread];
    if (this.status[thread] < WAITING || node.b < 0) return false;
    const { times, now } = this.execution.clock;
    if (times[now] >= times[this.waitingSince[thread]] + node.b) return true;
    return now + 1 === times.length && node.address !== this.threads[thread].idleAt;
  }

  /** All enabled transitions. */
  transitions(): number[] {
    const transitions: number[] = [];
    for (let thread = 0; thread < this.threads.length; thread++) {
      if (this.isEnabled(thread)) transitions.push(thread);
      else if (this.mayTimeOut(thread)) transitions.push(thread | TIMEOUT);
    }
    if (this.mayTick()) transitions.push(TICK);
    return transitions;
  }

  isFinished(thread: number): boolean {
    return this.nodes[thread].kind >= H.END;
  }

  /** Whether a thread is idle: it ended, or it waits for work. */
  isIdle(thread: number): boolean {
    if (this.isFinished(thread)) return true;
    return this.status[thread] >= WAITING && this.nodes[thread].address === this.threads[thread].idleAt;
  }

  mayTick(): boolean {
    const { times, now } = this.execution.clock;
    return now + 1 < times.length;
  }

  /** Makes one transition. */
  perform(transition: number): void {
    if (transition === TICK) {
      this.execution.clock.now++;
      this.operations++;
      return;
    }
    const thread = transition & ~TIMEOUT;
    const node = this.nodes[thread];
    this.execution.thread = thread;
    this.operations++;
    if (transition & TIMEOUT) {
      this.execution.footprint?.timedOut(node.address);
      this.#leaveQueue(thread);
      this.execution.observer?.(thread, node, TIMED_OUT);
      this.#advance(thread, node, 0);
    } else if (this.status[thread] === WOKEN) {
      this.status[thread] = READY;
      this.execution.observer?.(thread, node, WAS_WOKEN);
      this.#advance(thread, node, 0);
    } else if (node.kind === H.WAIT && this.state.get(node.address) === node.a) {
      this.execution.footprint?.note(node);
      this.status[thread] = WAITING + this.#queueLength(node.address);
      this.waitingSince[thread] = node.b < 0 ? 0 : this.execution.clock.now;
      this.execution.observer?.(thread, node, BLOCKED);
    } else {
      const value = this.#operate(thread, node);
      if (!this.merging) this.#advance(thread, node, value);
      else this.#advance(thread, this.merging.begin(node, value, this.threads[thread].id), this.merging.value);
    }
  }

  /** The effect of an operation; returns what it yields. */
  #operate(thread: number, node: H.HistoryNode): number {
    const value = this.#effect(node);
    this.execution.footprint?.note(node);
    this.execution.observer?.(thread, node, value);
    return value;
  }

  #effect(node: H.HistoryNode): number {
    const { state } = this;
    const { address, a } = node;
    if (node.kind < H.LOAD) return this.execution.effect(node);
    const old = address < 0 ? 0 : state.get(address);
    switch (node.kind) {
      case H.LOAD:
        return old;
      case H.STORE:
        state.set(address, a);
        return 0;
      case H.EXCHANGE:
        state.set(address, a);
        return old;
      case H.COMPARE_EXCHANGE:
        if (old === a) state.set(address, node.b);
        return old;
      case H.ADD:
        state.set(address, old + a);
        return old;
      case H.OR:
        state.set(address, old | a);
        return old;
      case H.NOTIFY:
        this.#wake(address, a);
        return 0;
      case H.CLOCK:
        return this.execution.clock.times[this.execution.clock.now];
      default:
        // A wait whose word has already changed, and a spin whose word has changed.
        return 0;
    }
  }

  /** Follows a thread's history, performing plain accesses, to its next operation. */
  #advance(thread: number, from: H.HistoryNode, yielded: number): void {
    const { execution } = this;
    let node = from;
    let value = yielded;
    for (;;) {
      const next = node.follow(value) ?? execution.resume(this.threads[thread], node, value);
      if (next.kind === H.END) {
        this.nodes[thread] = next;
        this.onStepEnd(thread);
        node = next.next ?? this.threads[thread].history.beginAfter(next, this.points);
        value = 0;
      } else if (next.kind < H.LOAD && !execution.isPoint(next.kind, next.address)) {
        node = next;
        value = execution.perform(next);
      } else {
        this.nodes[thread] = next;
        if (next.kind === H.FINISHED) {
          this.onStepEnd(thread);
          this.nodes[thread] = this.threads[thread].history.finished(H.segmentOf(next, this.points));
        }
        if (next.kind > H.END || next.kind < H.LOAD) return;
        this.points.note(thread, next);
        if (this.points.isSchedulingPoint(next)) return;
        value = this.#operate(thread, next);
        this.operations++;
        node = next;
        if (this.merging) {
          node = this.merging.begin(next, value, this.threads[thread].id);
          value = this.merging.value;
        }
      }
    }
  }

  /** The plain accesses of a thread since its last visible operation. */
  segment(thread: number): H.Segment {
    return H.segmentOf(this.nodes[thread], this.points);
  }

  #queueLength(address: number): number {
    let length = 0;
    for (let thread = 0; thread < this.status.length; thread++) {
      if (this.status[thread] >= WAITING && this.nodes[thread].address === address) length++;
    }
    return length;
  }

  #wake(address: number, count: number): void {
    for (let thread = 0; thread < this.status.length; thread++) {
      if (this.status[thread] < WAITING || this.nodes[thread].address !== address) continue;
      const before = this.status[thread] - WAITING;
      this.status[thread] = before < count ? WOKEN : WAITING + before - count;
      this.waitingSince[thread] = this.status[thread] === WOKEN ? 0 : this.waitingSince[thread];
    }
  }

  #leaveQueue(leaver: number): void {
    const { address } = this.nodes[leaver];
    for (let thread = 0; thread < this.status.length; thread++) {
      if (this.status[thread] > this.status[leaver] && this.nodes[thread].address === address) this.status[thread]--;
    }
    this.status[leaver] = READY;
    this.waitingSince[leaver] = 0;
  }

  // Saving and hashing

  /** Size of a saved state in words. */
  get savedWords(): number {
    return this.threads.length * POSITION_WORDS + 1 + this.state.savedWords;
  }

  save(into: Int32Array, at: number): void {
    let next = at;
    for (let thread = 0; thread < this.threads.length; thread++) {
      into[next++] = this.nodes[thread].id;
      into[next++] = this.status[thread];
      into[next++] = this.waitingSince[thread];
    }
    into[next++] = this.execution.clock.now;
    this.state.save(into, next);
  }

  /** Restores a saved state; returns the position after it in `from`. */
  load(from: Int32Array, at: number): number {
    let next = at;
    for (let thread = 0; thread < this.threads.length; thread++) {
      this.nodes[thread] = this.threads[thread].history.nodes[from[next++]];
      this.status[thread] = from[next++];
      this.waitingSince[thread] = from[next++];
    }
    this.execution.clock.now = from[next++];
    return this.state.load(from, next);
  }

  /** The hash of the whole state. */
  hashState(): Int32Array {
    const { hash } = this;
    hash.set(this.state.hash);
    for (let thread = 0; thread < this.threads.length; thread++) {
      const index = POSITION_HASH + thread * POSITION_WORDS;
      mix(hash, index, this.nodes[thread].id);
      mix(hash, index + 1, this.status[thread]);
      mix(hash, index + 2, this.waitingSince[thread]);
    }
    mix(hash, CLOCK_HASH, this.execution.clock.now);
    return hash;
  }

  /** Adds the last thread and the number of preemptions to the hash. */
  hashSchedule(last: number, preemptions: number): void {
    mix(this.hash, SCHEDULE_HASH, last);
    mix(this.hash, SCHEDULE_HASH + 1, preemptions);
  }

  /** Threads that are neither enabled nor idle. */
  stuck(): number[] {
    const all = this.threads.map((_, thread) => thread);
    if (all.some((thread) => this.nodes[thread].kind === H.ROOT)) throw new NotExplorable('a thread was not started');
    return all.filter((thread) => !this.isEnabled(thread) && !this.isIdle(thread));
  }
}
