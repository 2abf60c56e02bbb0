import type { Memory } from '../../core/memory/memory.js';
import { CALL_SITES } from '../../core/sync/call-sites.js';
import { LOCK_COUNT, LOCK_NAMES } from '../../core/sync/lock-names.js';
import { MAX_THREADS } from '../../core/sync/wait-graph.js';
import { GATEWAY_THREAD, type SharedMap } from '../threads/shared-map.js';
import * as L from './statistics-layout.js';

/** Durations in ns; `buckets` are those of `BUCKET_BOUNDS`, each for itself, and one for what is longer. */
export interface Durations {
  readonly buckets: readonly number[];
  readonly count: number;
  readonly sum: number;
}

/** One lock at one call site, over all threads. */
export interface LockRow {
  readonly lock: string;
  readonly site: string;
  readonly acquired: number;
  readonly contended: number;
  readonly tryFailed: number;
  readonly wait: Durations;
  /** Of one hold in 64, or of all: see `StatisticsOptions`. */
  readonly hold: Durations;
  readonly longestWait: LongestWait | undefined;
}

export interface LongestWait {
  /** In ns. */
  readonly duration: number;
  /** The thread that held the lock when the wait began, and the call site at which it had taken it. */
  readonly thread: number;
  readonly site: string;
}

/** What all threads counted, merged when it is read. Addresses of counters are those of `statistics-layout.ts`. */
export class StatisticsReader {
  readonly #busy = new Map<number, number>();

  constructor(
    readonly shared: Memory,
    readonly map: SharedMap,
  ) {}

  get slots(): number {
    return this.map.statisticsSlots;
  }

  /** The numbers of all threads that ever were. */
  get threads(): number[] {
    return Array.from({ length: MAX_THREADS }, (_, id) => id).filter((id) => this.#hasStarted(id));
  }

  #hasStarted(thread: number): boolean {
    return this.#get(L.headerAt(this.map.statistics, this.slots, thread) + L.STARTED) !== 0;
  }

  /** A counter of a slot, over all threads. */
  sum(slot: number, counter: number): number {
    let sum = 0;
    for (let id = GATEWAY_THREAD; id < MAX_THREADS; id++) {
      if (this.#hasStarted(id)) sum += this.count(id, slot, counter);
    }
    return sum;
  }

  /** A counter of a slot, of one thread. */
  count(thread: number, slot: number, counter: number): number {
    return this.#get(L.blockAt(this.map.statistics, this.slots, thread, slot) + counter);
  }

  durations(slot: number, histogram: number): Durations {
    const buckets = Array.from({ length: L.BUCKETS }, (_, bucket) => this.sum(slot, histogram + bucket));
    const count = buckets.reduce((sum, bucket) => sum + bucket, 0);
    return { buckets, count, sum: this.sum(slot, histogram + L.BUCKETS) };
  }

  /** The rows of a slot in which anything was counted. */
  locks(slot: number): LockRow[] {
    const rows: LockRow[] = [];
    for (let lock = 0; lock < LOCK_COUNT; lock++) {
      for (let site = 0; site < L.SITE_COUNT; site++) {
        const at = L.rowAt(lock, site);
        const counts = [L.ACQUIRED, L.CONTENDED, L.TRY_FAILED].map((counter) => this.sum(slot, at + counter));
        if (counts.some((count) => count > 0)) rows.push(this.#lockRow(slot, lock, site, counts));
      }
    }
    return rows;
  }

  #lockRow(slot: number, lock: number, site: number, [acquired, contended, tryFailed]: number[]): LockRow {
    const at = L.rowAt(lock, site);
    const reader = this;
    return {
      lock: LOCK_NAMES[lock],
      site: CALL_SITES[site],
      acquired,
      contended,
      tryFailed,
      // Read when they are looked at: most readers want one of them.
      get wait() {
        return reader.durations(slot, at + L.WAIT);
      },
      get hold() {
        return reader.durations(slot, at + L.HOLD);
      },
      get longestWait() {
        return reader.#longestWait(slot, at);
      },
    };
  }

  #longestWait(slot: number, row: number): LongestWait | undefined {
    let longest: LongestWait | undefined;
    for (const waiter of this.threads) {
      const duration = this.count(waiter, slot, row + L.LONGEST_WAIT);
      if (duration <= (longest?.duration ?? 0)) continue;
      const holder = this.count(waiter, slot, row + L.LONGEST_WAIT_HOLDER);
      longest = { duration, thread: Math.floor(holder / 8), site: CALL_SITES[holder % 8] };
    }
    return longest;
  }

  /** Nanoseconds that a thread other than the gateway has spent on work. Never less than it was. */
  busy(thread: number, now: number): number {
    const header = L.headerAt(this.map.statistics, this.slots, thread);
    const since = this.#get(header + L.AWAKE_SINCE);
    const busy = this.#get(header + L.BUSY) + (since > 0 ? Math.max(0, now - since) : 0);
    // The two may be read around a sleep that begins.
    const told = Math.max(busy, this.#busy.get(thread) ?? 0);
    this.#busy.set(thread, told);
    return told;
  }

  #get(address: number): number {
    return this.shared.getTime(address * 2);
  }
}
