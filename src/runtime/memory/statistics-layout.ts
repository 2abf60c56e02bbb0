import { CALL_SITES } from '../../core/sync/call-sites.js';
import { LOCK_COUNT } from '../../core/sync/lock-names.js';
import { MAX_THREADS } from '../../core/sync/wait-graph.js';

/**
 * Counters are float64, which hold every count up to 2^53 and never wrap; all offsets here count float64s. There is one
 * block per thread and statistics slot, so that each counter has one writer and needs no atomics.
 */
export const SITE_COUNT = CALL_SITES.length;

/** Upper bounds of the buckets of every histogram, in ns; one more bucket holds what is longer. */
export const BUCKET_BOUNDS = [
  250, 1_000, 4_000, 16_000, 64_000, 250_000, 1_000_000, 4_000_000, 16_000_000, 64_000_000, 250_000_000, 1_000_000_000,
  4_000_000_000, 10_000_000_000,
] as const;
export const BUCKETS = BUCKET_BOUNDS.length + 1;
/** In a histogram: the buckets, each for itself, then the sum in ns. */
const HISTOGRAM = BUCKETS + 1;

let next = 0;

function counters(count: number): number {
  const first = next;
  next += count;
  return first;
}

function histograms(count = 1): number {
  return counters(count * HISTOGRAM);
}

/** Offset `index` in an array of histograms. */
export function histogramAt(first: number, index: number): number {
  return first + index * HISTOGRAM;
}

// One row per lock and call site
export const ACQUIRED = counters(1);
export const CONTENDED = counters(1);
export const TRY_FAILED = counters(1);
/** The longest wait in ns, and who held the lock when it began: thread × 8 + call site. */
export const LONGEST_WAIT = counters(1);
export const LONGEST_WAIT_HOLDER = counters(1);
export const WAIT = histograms();
export const HOLD = histograms();
const ROW = next;
next = ROW * LOCK_COUNT * SITE_COUNT;

export function rowAt(lock: number, site: number): number {
  return (lock * SITE_COUNT + site) * ROW;
}

// Once per block
export const OVERLAPPED = counters(1);
export const COALESCED = counters(1);
export const STALE_LATE = counters(1);
export const STALE_INVERTED = counters(1);
export const DEADLOCKS_HUNG = counters(1);
export const DEADLOCKS_BROKEN = counters(1);
export const ORDER_INVERSIONS = counters(1);
/** By kind of event, `machine/events.ts`. */
export const INTERRUPTS = counters(5);
/** By call site, MMIO_READ and MMIO_WRITE. */
export const ACCESSES = counters(2);
export const ACCESS_TIME = histograms(2);
export const REACQUIRE = histograms();
export const NESTED_WAIT = histograms();
export const DEFERRED_DELAY = histograms();
export const LATENESS = histograms();
export const DELIVERY = histograms();

/** Counters of one thread for one slot. */
export const BLOCK = next;

// Once per thread, before its blocks
/** Nanoseconds of work up to the last sleep; host time at which the thread woke, or 0 while it sleeps. */
export const BUSY = 0;
export const AWAKE_SINCE = 1;
/** Per lock: the call site of this thread's last acquisition of it. */
export const LAST_SITE = 2;
/** 1 once there was a thread of this number. */
export const STARTED = LAST_SITE + LOCK_COUNT;
/** What the thread began last: the guest address of an access, or −1 − the number of the timer of a callback. */
export const LAST_WORK = STARTED + 1;
const HEADER = LAST_WORK + 1;

/** Words that the statistics take; of threads that never start, none of it is touched. */
export function statisticsWords(slots: number): number {
  return slots === 0 ? 0 : 2 * MAX_THREADS * threadSize(slots);
}

function threadSize(slots: number): number {
  return HEADER + slots * BLOCK;
}

/** Offset of a thread's header; `first` is the word address of all statistics. */
export function headerAt(first: number, slots: number, thread: number): number {
  return first / 2 + thread * threadSize(slots);
}

/** Offset of a thread's block for a slot. */
export function blockAt(first: number, slots: number, thread: number, slot: number): number {
  return headerAt(first, slots, thread) + HEADER + slot * BLOCK;
}

/** The bucket of a duration in ns. */
export function bucketOf(duration: number): number {
  let bucket = 0;
  while (bucket < BUCKET_BOUNDS.length && duration > BUCKET_BOUNDS[bucket]) bucket++;
  return bucket;
}
