import { LOCKS_AREA } from '../memory/map.js';
import type { Memory } from '../memory/memory.js';
import { LOCK_COUNT, LOCK_NAMES } from './lock-names.js';
import { type Thread, WAITING_FOR } from './thread.js';

const STRIDE = 16;
const FIRST = LOCKS_AREA.words('lock', LOCK_COUNT * STRIDE, 'sync');

/** Bit 0 of a lock word: someone may be waiting. The other bits: the owner's thread number; all zero: free. */
const CONTENDED = 1;

export function lockAddress(lock: number): number {
  return FIRST + lock * STRIDE;
}

/** The name of the lock whose machine-relative word address this is. */
export function lockNameAt(address: number): string {
  return LOCK_NAMES[(address - FIRST) / STRIDE];
}

/**
 * The locks of one machine as one thread sees them: futex mutexes that are not recursive, block the thread and let a
 * newcomer overtake a woken waiter. The owner is part of the lock word, so that a wait-for graph is always exact.
 */
export class Locks {
  /** Bit n: this thread holds lock n of the current machine. */
  held = 0;

  readonly #me: number;

  constructor(
    readonly memory: Memory,
    readonly thread: Thread,
  ) {
    this.#me = thread.id << 1;
  }

  holds(lock: number): boolean {
    return (this.held & (1 << lock)) !== 0;
  }

  acquire(lock: number): void {
    if (this.holds(lock)) throw new Error(`${LOCK_NAMES[lock]} is not recursive`);
    if (this.memory.compareExchange(lockAddress(lock), 0, this.#me) !== 0) this.#acquireContended(lock);
    this.held |= 1 << lock;
    this.thread.statistics.acquired(lock);
  }

  tryAcquire(lock: number): boolean {
    const address = lockAddress(lock);
    // Looked at first: a try that will fail takes no cache line from the holder, and never looks like an acquisition.
    if (this.memory.load(address) !== 0 || this.memory.compareExchange(address, 0, this.#me) !== 0) {
      this.thread.statistics.tryFailed(lock);
      return false;
    }
    this.held |= 1 << lock;
    this.thread.statistics.acquired(lock);
    return true;
  }

  release(lock: number): void {
    this.held &= ~(1 << lock);
    const address = lockAddress(lock);
    if (this.memory.exchange(address, 0) & CONTENDED) this.memory.notify(address, 1);
  }

  /** Takes the lock unless this thread holds it already; returns whether it was taken, for `unguard`. */
  guard(lock: number): boolean {
    if (this.holds(lock)) return false;
    this.acquire(lock);
    return true;
  }

  unguard(lock: number, taken: boolean): void {
    if (taken) this.release(lock);
  }

  #acquireContended(lock: number): void {
    const { memory, thread } = this;
    const address = lockAddress(lock);
    thread.statistics.contended(lock);
    memory.spin(address, memory.load(address));
    for (;;) {
      const word = memory.load(address);
      if (word === 0) {
        // Others may sleep on the word: whoever got here by waiting leaves it marked, at the cost of one idle notify.
        if (memory.compareExchange(address, 0, this.#me | CONTENDED) === 0) return;
      } else if (word & CONTENDED || memory.compareExchange(address, word, word | CONTENDED) === word) {
        // Published before blocking: of the threads that close a cycle, the last to publish sees all of it.
        thread.shared.store(WAITING_FOR + thread.id, memory.base + address);
        memory.wait(address, word | CONTENDED);
        thread.shared.store(WAITING_FOR + thread.id, 0);
      }
    }
  }
}
