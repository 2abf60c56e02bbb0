import type { Memory } from '../../core/memory/memory.js';
import { CALL_SITES } from '../../core/sync/call-sites.js';
import { LOCK_COUNT, LOCK_NAMES } from '../../core/sync/lock-names.js';
import * as L from '../memory/statistics-layout.js';

/** Durations in ns; `buckets` are those of `BUCKET_BOUNDS`, each for itself, and one for what is longer. */
export interface Durations {
  readonly buckets: readonly number[];
  readonly count: number;
  readonly sum: number;
}

export interface LongestWait {
  /** In ns. */
  readonly duration: number;
  /** The thread that held the lock when the wait began, and the call site at which it had taken it. */
  readonly thread: number;
  readonly site: string;
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

/** Offsets of the longest waits, which are not summed; the holder of each follows it. */
const LONGEST: ReadonlySet<number> = new Set(
  Array.from({ length: LOCK_COUNT * L.SITE_COUNT }, (_, row) => {
    return L.rowAt(Math.floor(row / L.SITE_COUNT), row % L.SITE_COUNT) + L.LONGEST_WAIT;
  }),
);
const IS_SUMMED = Uint8Array.from({ length: L.BLOCK }, (_, at) => Number(!LONGEST.has(at) && !LONGEST.has(at - 1)));

/** The counters of one slot, over several threads or slots. Offsets are those of `statistics-layout.ts`. */
export class SlotTotals {
  readonly #counters = new Float64Array(L.BLOCK);
  readonly #block = new Float64Array(L.BLOCK);

  /** Adds the counters at this word address; of two longest waits the longer one stays. */
  addBlock(memory: Memory, address: number): void {
    for (let at = 0; at < L.BLOCK; at++) this.#block[at] = memory.getTime(address + 2 * at);
    this.#add(this.#block);
  }

  addTotals(other: SlotTotals): void {
    this.#add(other.#counters);
  }

  #add(block: Float64Array): void {
    const counters = this.#counters;
    for (let at = 0; at < L.BLOCK; at++) if (IS_SUMMED[at]) counters[at] += block[at];
    for (const at of LONGEST) {
      if (block[at] <= counters[at]) continue;
      counters[at] = block[at];
      counters[at + 1] = block[at + 1];
    }
  }

  count(counter: number): number {
    return this.#counters[counter];
  }

  durations(histogram: number): Durations {
    const buckets = [...this.#counters.subarray(histogram, histogram + L.BUCKETS)];
    const count = buckets.reduce((sum, bucket) => sum + bucket, 0);
    return { buckets, count, sum: this.#counters[histogram + L.BUCKETS] };
  }

  /** The locks and call sites at which anything was counted. */
  locks(): LockRow[] {
    const totals = this;
    const rows: LockRow[] = [];
    for (let lock = 0; lock < LOCK_COUNT; lock++) {
      for (let site = 0; site < L.SITE_COUNT; site++) {
        const at = L.rowAt(lock, site);
        const [acquired, contended, tryFailed] = [L.ACQUIRED, L.CONTENDED, L.TRY_FAILED].map((counter) =>
          this.count(at + counter),
        );
        if (acquired + contended + tryFailed === 0) continue;
        rows.push({
          lock: LOCK_NAMES[lock],
          site: CALL_SITES[site],
          acquired,
          contended,
          tryFailed,
          // Computed on demand: most readers want one of them.
          get wait() {
            return totals.durations(at + L.WAIT);
          },
          get hold() {
            return totals.durations(at + L.HOLD);
          },
          get longestWait() {
            return totals.#longestWait(at);
          },
        });
      }
    }
    return rows;
  }

  #longestWait(row: number): LongestWait | undefined {
    const duration = this.count(row + L.LONGEST_WAIT);
    if (duration === 0) return undefined;
    const holder = this.count(row + L.LONGEST_WAIT_HOLDER);
    return { duration, thread: Math.floor(holder / 8), site: CALL_SITES[holder % 8] };
  }
}
