import { LOCK_OPTIONS_AREA, LOCKS_AREA } from '../memory/map.js';
import type { Memory } from '../memory/memory.js';
import { MAIN_LOOP } from './call-sites.js';
import { LockAssertionError } from './lock-assertion.js';
import { LOCK_COUNT, LOCK_NAMES } from './lock-names.js';
import { LockOrderRecorder } from './lock-order-recorder.js';
import { barging, MUTEXES, type Mutex, type MutexWaiter, ownerOf, wakeAll } from './mutex.js';
import type { Thread } from './thread.js';

const STRIDE = 16;
const FIRST = LOCKS_AREA.words('lock', LOCK_COUNT * STRIDE, 'sync');

/** Set once a thread died in the machine: threads that wait for its locks may then give up. */
const LOST = LOCKS_AREA.word('lost', 'sync');

/** Bits 7:0 the kind of mutex, then the flags below; bits 30:16 distinguish machines that follow each other in one slot. */
const OPTIONS = LOCK_OPTIONS_AREA.word('flags', 'constant');
const REFUSE_ON_DEADLOCK = 1 << 8;
const CHECK_ORDER = 1 << 9;
const CREATION_SHIFT = 16;
const CREATION_MASK = 0x7fff;

export interface LockOptions {
  /** `barging` (the default) or `ticket`. */
  readonly mutex: 'barging' | 'ticket';
  /** `break`: the acquisition that closes a cycle is refused where its caller can do without. `hang`: it hangs. */
  readonly onDeadlock: 'break' | 'hang';
  /** Whether the order of acquisitions is recorded and checked. */
  readonly checkOrder: boolean;
}

export const DEFAULT_LOCKS: LockOptions = { mutex: 'barging', onDeadlock: 'break', checkOrder: true };

export function lockAddress(lock: number): number {
  return FIRST + lock * STRIDE;
}

/** The lock whose machine-relative word address this is. */
export function lockAt(address: number): number {
  return (address - FIRST) / STRIDE;
}

/** The locks of one machine as one thread sees them. They are not recursive. */
export class Locks {
  /** Bit n: this thread holds lock n of the current machine. */
  held = 0;
  /** Bit n: lock n was taken in advance, by `tryAcquireAll`; the path's own acquisitions of it do nothing. */
  #preheld = 0;
  /** The part of the path that this thread is on, see `call-sites.ts`. */
  site = MAIN_LOOP;
  readonly order: LockOrderRecorder;

  #mutex: Mutex = barging;
  #refuses = false;
  #checksOrder = false;
  #base = -1;
  #options = 0;
  #creations = 0;

  constructor(
    readonly memory: Memory,
    readonly thread: Thread,
  ) {
    this.order = new LockOrderRecorder(memory);
  }

  create(options: LockOptions): void {
    const kind = MUTEXES.findIndex((mutex) => mutex.name === options.mutex);
    const refuse = options.onDeadlock === 'break' ? REFUSE_ON_DEADLOCK : 0;
    this.#creations = (this.#creations + 1) & CREATION_MASK;
    const creation = this.#creations << CREATION_SHIFT;
    this.memory.set(OPTIONS, kind | refuse | (options.checkOrder ? CHECK_ORDER : 0) | creation);
  }

  /** A thread died in the selected machine. */
  loseThread(): void {
    this.memory.store(LOST, 1);
  }

  /** Where a thread died, wakes the waiters of all locks: the thread that should have woken them may be the dead one. */
  wakeWaiters(): void {
    if (this.memory.load(LOST) === 0) return;
    for (let lock = 0; lock < LOCK_COUNT; lock++) wakeAll(this.memory, lockAddress(lock));
  }

  /** The memory has selected a machine, which may be another one. */
  select(): void {
    this.thread.statistics.select(this.memory.base);
    const options = this.memory.get(OPTIONS);
    this.#mutex = MUTEXES[options & 0xff];
    this.#refuses = (options & REFUSE_ON_DEADLOCK) !== 0;
    this.#checksOrder = (options & CHECK_ORDER) !== 0;
    if (this.#base === this.memory.base && this.#options === options) return;
    this.#base = this.memory.base;
    this.#options = options;
    this.order.forget();
  }

  holds(lock: number): boolean {
    return (this.held & (1 << lock)) !== 0;
  }

  /** Throws LockAssertionError unless this thread holds the lock. */
  assertHeld(lock: number): void {
    if (!this.holds(lock)) throw new LockAssertionError(lock, this.site);
  }

  /** Throws unless this thread holds no lock and has taken none in advance. */
  assertIdle(): void {
    if (this.held !== 0 || this.#preheld !== 0) throw new Error('the thread still holds a lock, or has one in advance');
  }

  /** After a failed assertion ended a path: makes this thread hold the locks of a mask (bit n for lock n), and no other. */
  restore(mask: number): void {
    for (let lock = LOCK_COUNT - 1; lock >= 0; lock--) if (this.held & ~mask & (1 << lock)) this.release(lock);
    for (let lock = 0; lock < LOCK_COUNT; lock++) if (mask & ~this.held & (1 << lock)) this.acquire(lock);
  }

  acquire(lock: number): void {
    this.#acquire(lock, false);
  }

  /** Takes the lock, or is refused because it would close a cycle of waiting and `onDeadlock` is `break`. */
  acquireOrRefuse(lock: number): boolean {
    return this.#acquire(lock, this.#refuses);
  }

  tryAcquire(lock: number): boolean {
    if (this.#preheld & (1 << lock)) return true;
    const address = lockAddress(lock);
    // The load first: a try that will fail takes no cache line from the holder.
    if (this.memory.load(address) !== 0 || !this.#mutex.tryAcquire(this.memory, address, this.thread.id)) {
      this.thread.statistics.tryFailed(lock, this.site);
      return false;
    }
    this.#acquired(lock);
    return true;
  }

  release(lock: number): void {
    if (this.#preheld & (1 << lock)) return;
    this.held &= ~(1 << lock);
    this.thread.statistics.releasing(lock);
    this.#mutex.release(this.memory, lockAddress(lock));
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

  /** Takes all locks of a mask (bit n for lock n) without waiting, or none. A try adds nothing to the lock order. */
  tryAcquireAll(mask: number): boolean {
    for (let lock = 0; mask >> lock; lock++) {
      if (!(mask & (1 << lock)) || this.tryAcquire(lock)) continue;
      for (let taken = 0; taken < lock; taken++) if (mask & (1 << taken)) this.release(taken);
      return false;
    }
    this.#preheld = mask;
    return true;
  }

  releaseAll(mask: number): void {
    this.#preheld = 0;
    for (let lock = LOCK_COUNT - 1; lock >= 0; lock--) if (mask & (1 << lock)) this.release(lock);
  }

  /** Takes `inner` under `outer`, which is held; where that would be a deadlock, releases `outer` for a moment. */
  acquireUnder(outer: number, inner: number): void {
    if (this.acquireOrRefuse(inner)) return;
    this.release(outer);
    this.acquireBoth(inner, outer);
  }

  /** Takes two locks that this thread does not hold: in this order, or in the other where this would be a deadlock. */
  acquireBoth(first: number, second: number): void {
    let outer = first;
    let inner = second;
    for (;;) {
      this.acquire(outer);
      if (this.acquireOrRefuse(inner)) return;
      this.release(outer);
      [outer, inner] = [inner, outer];
    }
  }

  #acquire(lock: number, refusable: boolean): boolean {
    if (this.holds(lock)) {
      if (this.#preheld & (1 << lock)) return true;
      throw new Error(`${LOCK_NAMES[lock]} is not recursive`);
    }
    if (this.#checksOrder && this.held) this.#recordOrder(lock);
    if (!this.#mutex.tryAcquire(this.memory, lockAddress(lock), this.thread.id)) {
      if (!this.#wait(lock, refusable)) return false;
    }
    this.#acquired(lock);
    return true;
  }

  #wait(lock: number, refusable: boolean): boolean {
    const { memory, thread, site, held } = this;
    const address = lockAddress(lock);
    thread.statistics.contended(lock, site, held, memory.base + address);
    const taken = this.#mutex.acquire(memory, address, thread.id, new Waiter(this, lock, refusable));
    thread.statistics.waited(lock, site, held, taken);
    return taken;
  }

  #acquired(lock: number): void {
    this.held |= 1 << lock;
    this.thread.statistics.acquired(lock, this.site);
  }

  #recordOrder(lock: number): void {
    this.order.record(this.held, lock, this.site, this.thread.id, (outer) => {
      this.thread.statistics.orderInversion();
      this.thread.reports?.orderInversion(this.memory.base, outer, lock, this.site);
    });
  }
}

/** One blocking acquisition: publishes itself in the wait-for graph and searches for a cycle. */
class Waiter implements MutexWaiter {
  #reported = false;
  #since = -1;

  constructor(
    readonly locks: Locks,
    readonly lock: number,
    readonly refusable: boolean,
  ) {}

  beforeBlocking(): boolean {
    const { thread, memory, site, held } = this.locks;
    const graph = thread.waitGraph;
    if (!graph) return false;
    if (this.#since < 0) this.#since = graph.now();
    graph.publish(memory.base + lockAddress(this.lock), site, held, this.#since);
    const cycle = graph.cycle((address) => ownerOf(thread.shared, address));
    if (!cycle) return false;
    if (!this.#reported) {
      thread.statistics.deadlock(this.refusable);
      thread.reports?.deadlock(cycle, this.refusable);
    }
    this.#reported = true;
    if (this.refusable) graph.withdraw();
    return this.refusable;
  }

  afterBlocking(): void {
    this.locks.thread.waitGraph?.withdraw();
  }

  /** In a frozen machine the gateway replaces this thread. */
  stillBlocked(): void {
    const { memory, thread } = this.locks;
    if (memory.load(LOST) !== 0) thread.waitGraph?.waitForever();
  }
}
