import type { EventWords } from '../memory/event-words.js';
import { STATISTICS_AREA } from '../memory/map.js';
import type { Memory } from '../memory/memory.js';

/**
 * Bits 15:0 the statistics slot, which machines with the same labels share; then the flags below. Only the flag for
 * tracing ever changes; statistics, which lie outside the seam, read it whenever they select a machine.
 */
export const STATISTICS_OPTIONS = STATISTICS_AREA.word('options', 'constant');
export const STATISTICS_SLOT = 0xffff;
export const STATISTICS_EXACT = 1 << 16;
/** Threads trace what they do in the machine (`src/runtime/trace`). */
export const STATISTICS_TRACED = 1 << 17;

export interface StatisticsOptions {
  /** Where the machine is counted. */
  readonly slot: number;
  /** Whether every hold and access is timed, instead of 1 in 64. */
  readonly exact: boolean;
}

export function setStatistics(memory: Memory, { slot, exact }: StatisticsOptions): void {
  memory.set(STATISTICS_OPTIONS, slot | (exact ? STATISTICS_EXACT : 0));
}

/** Counts of one thread about the locks of the machine that it has selected. */
export interface LockStatistics {
  acquired(lock: number, site: number): void;
  /** Called while the lock is still held. */
  releasing(lock: number): void;
  /** The lock, whose absolute address this is, was not free: waiting begins. `held`: the locks that are held meanwhile. */
  contended(lock: number, site: number, held: number, address: number): void;
  /** Waiting has ended, with the lock (`taken`) or without; `held` are the locks that were held meanwhile. */
  waited(lock: number, site: number, held: number, taken: boolean): void;
  /** A try found the lock taken. */
  tryFailed(lock: number, site: number): void;
  deadlock(refused: boolean): void;
  orderInversion(): void;
}

/**
 * Counts of one thread: that thread writes them, and the gateway reads them at any time. Counting has a clock and memory
 * of its own outside the seam, so that exploration, which counts nothing, sees no operation of it.
 */
export interface Statistics extends LockStatistics {
  /** Selects the machine at `base`. */
  select(base: number): void;
  /** The thread's host time in ns, for `deferred`. */
  now(): number;

  /** An access of `size` bytes to a device begins; `site` says whether it is a read or a write. */
  accessBegins(site: number, address: number, size: number): void;
  accessEnds(site: number): void;
  /** Another thread was inside the device at the same time. */
  overlapped(): void;
  /** The thread begins the callback of a timer that was due at `deadline`, virtual ns; then it ends it. */
  callbackBegins(timer: number, deadline: number): void;
  callbackEnds(): void;
  /** The callback of a timer runs that was due at `deadline`, virtual ns. */
  expired(deadline: number): void;
  /** A callback without the BQL has ended: the thread acquires the BQL again; then it holds it. */
  reacquiring(): void;
  reacquired(): void;
  /** A call that was deferred at `since` is applied. */
  deferred(since: number): void;
  stale(reason: Staleness): void;
  /** The machine is about to emit an interrupt event of this kind, one of `machine/events.ts`. */
  interrupt(kind: number): void;
  /** It did, at this position of the event ring. */
  emitted(position: number, event: Readonly<EventWords>): void;
  /** A request found remote IRR set. */
  coalesced(): void;

  /** The thread has nothing to do and sleeps; then it has woken. */
  sleeps(): void;
  wakes(): void;
}

/** A deferred line change that was applied late, or after a newer one. */
export type Staleness = 'late' | 'inverted';

export const NO_STATISTICS: Statistics = {
  acquired() {},
  releasing() {},
  contended() {},
  waited() {},
  tryFailed() {},
  deadlock() {},
  orderInversion() {},
  select() {},
  now: () => 0,
  accessBegins() {},
  accessEnds() {},
  overlapped() {},
  callbackBegins() {},
  callbackEnds() {},
  expired() {},
  reacquiring() {},
  reacquired() {},
  deferred() {},
  stale() {},
  interrupt() {},
  emitted() {},
  coalesced() {},
  sleeps() {},
  wakes() {},
};
