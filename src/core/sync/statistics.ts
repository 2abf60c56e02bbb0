import type { EventWords } from '../machine/events.js';
import { STATISTICS_AREA } from '../memory/map.js';
import type { Memory } from '../memory/memory.js';

/**
 * Bits 15:0 the statistics slot, which machines with the same labels share; then the flags below. Only the flag for
 * tracing ever changes; statistics, which lie outside the seam, look at it whenever they are turned to a machine.
 */
export const STATISTICS_OPTIONS = STATISTICS_AREA.word('options', 'constant');
export const STATISTICS_SLOT = 0xffff;
export const STATISTICS_EXACT = 1 << 16;
/** What happens in the machine is written to the traces of the threads (`src/runtime/trace`). */
export const STATISTICS_TRACED = 1 << 17;

export interface StatisticsOptions {
  /** Where the machine is counted. */
  readonly slot: number;
  /** Whether every hold and access is timed, and not 1 in 64. */
  readonly exact: boolean;
}

export function setStatistics(memory: Memory, { slot, exact }: StatisticsOptions): void {
  memory.set(STATISTICS_OPTIONS, slot | (exact ? STATISTICS_EXACT : 0));
}

/** What a thread counts about the locks of the machine that it is turned to. */
export interface LockStatistics {
  acquired(lock: number, site: number): void;
  /** Told while the lock is still held. */
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
 * What a thread counts. One writer each; read by the gateway at any time. Counting is no business of the seam: it has
 * a clock and memory of its own, so that exploration, which counts nothing, sees no operation of it.
 */
export interface Statistics extends LockStatistics {
  /** The machine at `base` is next. */
  select(base: number): void;
  /** The thread's host time in ns, for `deferred`. */
  now(): number;

  /** An access of `size` bytes to a device begins; `site` says whether it is a read or a write. */
  accessBegins(site: number, address: number, size: number): void;
  accessEnds(site: number): void;
  /** Another thread was inside the device at the same time. */
  overlapped(): void;
  /** A thread turns to the callback of a timer that was due at `deadline`, virtual ns; it is done with it. */
  callbackBegins(timer: number, deadline: number): void;
  callbackEnds(): void;
  /** The callback of a timer runs that was due at `deadline`, virtual ns. */
  expired(deadline: number): void;
  /** A callback without the big lock has ended, which is wanted back; then it is back. */
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

/** A deferred line change that came late, or after a newer one. */
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
