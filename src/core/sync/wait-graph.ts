import { Area } from '../memory/layout.js';
import type { Memory } from '../memory/memory.js';

/** Threads are numbered from 1; 0 means no thread. A lock word holds the number of its owner. */
export const MAX_THREADS = 64;

/** Absolute words at the start of memory: every thread can see which lock each other thread waits for. */
export const THREADS_AREA = new Area('threads', 16, 16 + MAX_THREADS * 4);
/** The absolute address of the lock that the thread is blocked on, or 0. */
const WAITING_FOR = THREADS_AREA.words('waitingFor', MAX_THREADS, 'sync');
/** Bits 7:0 call site of the wait; bits 29:8 the locks that the thread holds meanwhile; bit 30: it waits indefinitely. */
const CIRCUMSTANCES = THREADS_AREA.words('circumstances', MAX_THREADS, 'sync');
/** Host time in ns (a float64) at which the wait began: published by `waitingFor`, for reports only. */
const SINCE = THREADS_AREA.words('since', MAX_THREADS * 2, 'ring');

export interface Waiter {
  readonly thread: number;
  /** Absolute address of the lock that it waits for. */
  readonly lock: number;
  readonly site: number;
  /** Bit per lock that it holds. */
  readonly held: number;
  /** Host time in ns at which it began to wait. */
  readonly since: number;
  /** Whether it has given up the lock, and waits until it is ended. */
  readonly forever?: boolean;
}

const FOREVER = 1 << 30;

/**
 * The wait-for graph, from owners in the lock words and waiters in the thread table. No thread stores the graph: a thread
 * that is about to block publishes its own edge and then walks. Of the threads that close a cycle together, the last
 * to publish sees all of it.
 */
export class WaitGraph {
  constructor(
    readonly shared: Memory,
    readonly thread: number,
    /** Host time in ns. Exploration has none: when a wait began would keep equal states apart. */
    readonly now: () => number = () => 0,
  ) {}

  /** `since`: `now` when the wait began. */
  publish(lock: number, site: number, held: number, since: number): void {
    this.shared.store(CIRCUMSTANCES + this.thread, site | (held << 8));
    if (since > 0) this.shared.setTime(SINCE + 2 * this.thread, since);
    this.shared.store(WAITING_FOR + this.thread, lock);
  }

  withdraw(): void {
    this.shared.store(WAITING_FOR + this.thread, 0);
  }

  /** Waits for what was published until the thread is ended from outside. */
  waitForever(): never {
    const word = CIRCUMSTANCES + this.thread;
    const circumstances = this.shared.or(word, FOREVER) | FOREVER;
    for (;;) this.shared.wait(word, circumstances);
  }

  waiter(thread: number): Waiter {
    const circumstances = this.shared.load(CIRCUMSTANCES + thread);
    return {
      thread,
      lock: this.shared.load(WAITING_FOR + thread),
      site: circumstances & 0xff,
      held: (circumstances & ~FOREVER) >> 8,
      since: this.shared.getTime(SINCE + 2 * thread),
      forever: (circumstances & FOREVER) !== 0,
    };
  }

  /**
   * The cycle that this thread's published edge closes, starting with it, or undefined. One walk may mix moments; an
   * edge of a real cycle stays once it is there, so a cycle that a second walk finds unchanged is real.
   */
  cycle(ownerOf: (lock: number) => number): Waiter[] | undefined {
    const first = this.#walk(ownerOf);
    if (!first) return undefined;
    for (let confirmed = 1; confirmed < first.length; confirmed++) {
      const again = this.#walk(ownerOf);
      if (!again || again.length !== first.length || again.some((w, i) => !isSame(w, first[i]))) return undefined;
    }
    return first;
  }

  #walk(ownerOf: (lock: number) => number): Waiter[] | undefined {
    const path: Waiter[] = [];
    let thread = this.thread;
    for (let length = 0; length < MAX_THREADS; length++) {
      const waiter = this.waiter(thread);
      if (waiter.lock === 0) return undefined;
      path.push(waiter);
      thread = ownerOf(waiter.lock);
      if (thread === 0) return undefined;
      if (thread === this.thread) return path;
    }
    return undefined;
  }
}

function isSame(a: Waiter, b: Waiter): boolean {
  return a.thread === b.thread && a.lock === b.lock;
}
