import type { Memory } from '../memory/memory.js';
import { LOCK_COUNT } from '../sync/lock-names.js';
import type { LockStatistics } from '../sync/statistics.js';

const ACQUIRED = 0;
const CONTENDED = ACQUIRED + LOCK_COUNT;
const TRY_FAILED = CONTENDED + LOCK_COUNT;
const OVERLAPPED = TRY_FAILED + LOCK_COUNT;

/** Counters per thread: float64, which hold every count up to 2^53 and never wrap. */
export const THREAD_COUNTERS = OVERLAPPED + 1;

/** Counts in shared memory, by one writer and without atomics; a reader may be one count behind. */
export class ThreadStatistics implements LockStatistics {
  constructor(
    readonly memory: Memory,
    readonly at: number,
  ) {}

  acquired(lock: number): void {
    this.#count(ACQUIRED + lock);
  }

  contended(lock: number): void {
    this.#count(CONTENDED + lock);
  }

  tryFailed(lock: number): void {
    this.#count(TRY_FAILED + lock);
  }

  overlapped(): void {
    this.#count(OVERLAPPED);
  }

  read(): ThreadCounts {
    const row = (first: number) => Array.from({ length: LOCK_COUNT }, (_, lock) => this.#get(first + lock));
    return {
      acquired: row(ACQUIRED),
      contended: row(CONTENDED),
      tryFailed: row(TRY_FAILED),
      overlapped: this.#get(OVERLAPPED),
    };
  }

  #get(counter: number): number {
    return this.memory.getTime(this.at + counter * 2);
  }

  #count(counter: number): void {
    const address = this.at + counter * 2;
    this.memory.setTime(address, this.memory.getTime(address) + 1);
  }
}

/** Counts of one thread; arrays are indexed by lock (`sync/lock-names.ts`). */
export interface ThreadCounts {
  readonly acquired: readonly number[];
  readonly contended: readonly number[];
  readonly tryFailed: readonly number[];
  readonly overlapped: number;
}

/** Where thread `id` has its counters. */
export function statisticsAt(first: number, id: number): number {
  return first + id * THREAD_COUNTERS * 2;
}
