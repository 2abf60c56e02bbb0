import type { Memory } from '../memory/memory.js';

/**
 * A kind of mutex: blocking, not recursive, with its owner in the first of its words, so that a wait-for graph is exact.
 * Words are zero while it is free. An owner is a thread number, 1 to 64.
 */
export interface Mutex {
  readonly name: string;
  tryAcquire(memory: Memory, address: number, owner: number): boolean;
  /**
   * Takes the mutex. Calls `beforeBlocking` each time before it blocks, and gives up, returning false, if that returns
   * true; calls `afterBlocking` after it was woken.
   */
  acquire(memory: Memory, address: number, owner: number, waiter: MutexWaiter): boolean;
  release(memory: Memory, address: number): void;
}

export interface MutexWaiter {
  /** Whether to give up. Called while this thread holds no part of this mutex. */
  beforeBlocking(): boolean;
  afterBlocking(): void;
  /** Called after a wakeup that need not mean that the mutex is free. Does not return if it never will be. */
  stillBlocked(): void;
}

/** The thread that holds the mutex, of either kind, or 0. */
export function ownerOf(memory: Memory, address: number): number {
  return memory.load(address) >> 1;
}

/** Bit 0 of the first word: a thread may be waiting. The bits above: the owner. */
const CONTENDED = 1;

/** The default: the first thread after a release takes it, even a newcomer before the thread that was woken. */
export const barging: Mutex = {
  name: 'barging',
  tryAcquire(memory, address, owner) {
    return memory.compareExchange(address, 0, owner << 1) === 0;
  },
  acquire(memory, address, owner, waiter) {
    memory.spin(address, memory.load(address));
    for (;;) {
      const word = memory.load(address);
      if (word === 0) {
        // Others may sleep on the word: a thread that waited leaves it marked, at the cost of one idle notify.
        if (memory.compareExchange(address, 0, (owner << 1) | CONTENDED) === 0) return true;
      } else if (word & CONTENDED || memory.compareExchange(address, word, word | CONTENDED) === word) {
        if (waiter.beforeBlocking()) return false;
        memory.wait(address, word | CONTENDED);
        waiter.afterBlocking();
      }
    }
  },
  release(memory, address) {
    if (memory.exchange(address, 0) & CONTENDED) memory.notify(address, 1);
  },
};

const NEXT_TICKET = 1;
const NOW_SERVING = 2;

/** Fair: threads acquire it in the order of arrival, so a long wait is due to the design and not to the lock. */
export const ticket: Mutex = {
  name: 'ticket',
  tryAcquire(memory, address, owner) {
    const serving = memory.load(address + NOW_SERVING);
    if (memory.compareExchange(address + NEXT_TICKET, serving, (serving + 1) | 0) !== serving) return false;
    memory.store(address, owner << 1);
    return true;
  },
  acquire(memory, address, owner, waiter) {
    // A ticket cannot be returned, so the decision to give up comes before it is drawn.
    if (waiter.beforeBlocking()) return false;
    const mine = memory.add(address + NEXT_TICKET, 1);
    for (;;) {
      const serving = memory.load(address + NOW_SERVING);
      if (serving === mine) break;
      memory.wait(address + NOW_SERVING, serving);
      // A dead thread holds a place in the queue that no word shows.
      waiter.stillBlocked();
    }
    waiter.afterBlocking();
    memory.store(address, owner << 1);
    return true;
  },
  release(memory, address) {
    memory.store(address, 0);
    const serving = (memory.load(address + NOW_SERVING) + 1) | 0;
    memory.store(address + NOW_SERVING, serving);
    // All wake, one is served: the price of the order of arrival.
    if (memory.load(address + NEXT_TICKET) !== serving) memory.notify(address + NOW_SERVING, Number.MAX_SAFE_INTEGER);
  },
};

/** Wakes all waiters of a mutex of either kind: they recheck it. */
export function wakeAll(memory: Memory, address: number): void {
  for (const word of [address, address + NOW_SERVING]) memory.notify(word, Number.MAX_SAFE_INTEGER);
}

/** Their order is part of the memory layout. */
export const MUTEXES = [barging, ticket] as const;
