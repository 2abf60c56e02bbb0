import { Clock } from '../machine/clock.js';
import { SharedMemory } from '../memory/shared-memory.js';
import { BQL, DEVICE } from '../sync/lock-names.js';
import { ownerOf } from '../sync/mutex.js';
import {
  STATISTICS_EXACT,
  STATISTICS_OPTIONS,
  STATISTICS_SLOT,
  type Staleness,
  type Statistics,
} from '../sync/statistics.js';
import * as L from './statistics-layout.js';

/** Of holds and accesses, one in this many is timed. */
export const SAMPLING = 64;

/** Where the statistics of all threads lie; part of `SharedMap`. */
export interface StatisticsMap {
  /** Word address. */
  readonly statistics: number;
  readonly statisticsSlots: number;
}

/** What one thread counts, in shared memory; a reader may be one count behind. */
export class ThreadStatistics implements Statistics {
  readonly #times: Float64Array;
  readonly #memory: SharedMemory;
  readonly #machine: SharedMemory;
  readonly #clock: Clock;
  readonly #header: number;
  #block: number;
  /** Of the number of a hold or access, the bits that say whether it is timed, and what they are then. */
  #mask = SAMPLING - 1;
  #phase = SAMPLING >> 1;

  /** Bit n: the hold of lock n is being timed. */
  #timed = 0;
  readonly #heldSince = new Float64Array(32);
  readonly #heldRow = new Int32Array(32);
  #waitSince = 0;
  #waitHolder = 0;
  #accesses = 0;
  #accessSince = -1;
  #reacquireSince = 0;

  constructor(
    buffer: SharedArrayBuffer,
    readonly map: StatisticsMap,
    readonly thread: number,
  ) {
    this.#times = new Float64Array(buffer);
    this.#memory = new SharedMemory(buffer);
    this.#machine = new SharedMemory(buffer);
    this.#clock = new Clock(this.#machine);
    this.#header = L.headerAt(map.statistics, map.statisticsSlots, thread);
    this.#block = L.blockAt(map.statistics, map.statisticsSlots, thread, 0);
    this.#times[this.#header + L.STARTED] = 1;
  }

  select(base: number): void {
    this.#machine.select(base);
    const options = this.#machine.get(STATISTICS_OPTIONS);
    const { statistics, statisticsSlots } = this.map;
    this.#block = L.blockAt(statistics, statisticsSlots, this.thread, options & STATISTICS_SLOT);
    this.#mask = options & STATISTICS_EXACT ? 0 : SAMPLING - 1;
    // Not the first of all, which runs cold.
    this.#phase = options & STATISTICS_EXACT ? 0 : SAMPLING >> 1;
  }

  now(): number {
    return this.#memory.hostTime();
  }

  // Locks

  acquired(lock: number, site: number): void {
    const times = this.#times;
    const row = this.#block + L.rowAt(lock, site);
    const before = times[row];
    times[row] = before + 1;
    times[this.#header + L.LAST_SITE + lock] = site;
    if ((before & this.#mask) === this.#phase) this.#timeHold(lock, row);
  }

  #timeHold(lock: number, row: number): void {
    this.#timed |= 1 << lock;
    this.#heldRow[lock] = row;
    this.#heldSince[lock] = this.now();
  }

  releasing(lock: number): void {
    if (this.#timed & (1 << lock)) this.#holdEnds(lock);
  }

  #holdEnds(lock: number): void {
    this.#timed &= ~(1 << lock);
    this.#observe(this.#heldRow[lock] + L.HOLD, this.now() - this.#heldSince[lock]);
  }

  contended(lock: number, site: number, address: number): void {
    this.#count(L.rowAt(lock, site) + L.CONTENDED);
    const { statistics, statisticsSlots } = this.map;
    // Both may be outdated: the lock may go from hand to hand meanwhile.
    const holder = ownerOf(this.#memory, address);
    const header = L.headerAt(statistics, statisticsSlots, holder);
    this.#waitHolder = holder * 8 + this.#times[header + L.LAST_SITE + lock];
    this.#waitSince = this.now();
  }

  waited(lock: number, site: number, held: number): void {
    const duration = this.now() - this.#waitSince;
    const row = this.#block + L.rowAt(lock, site);
    this.#observe(row + L.WAIT, duration);
    if (duration > this.#times[row + L.LONGEST_WAIT]) {
      this.#times[row + L.LONGEST_WAIT] = duration;
      this.#times[row + L.LONGEST_WAIT_HOLDER] = this.#waitHolder;
    }
    if (lock === BQL && held & (1 << DEVICE)) this.#observe(this.#block + L.NESTED_WAIT, duration);
  }

  tryFailed(lock: number, site: number): void {
    this.#count(L.rowAt(lock, site) + L.TRY_FAILED);
  }

  deadlock(refused: boolean): void {
    this.#count(refused ? L.DEADLOCKS_BROKEN : L.DEADLOCKS_HUNG);
  }

  orderInversion(): void {
    this.#count(L.ORDER_INVERSIONS);
  }

  // Accesses and callbacks

  accessBegins(): void {
    this.#accessSince = (this.#accesses++ & this.#mask) === this.#phase ? this.now() : -1;
  }

  accessEnds(site: number): void {
    this.#count(L.ACCESSES + site);
    if (this.#accessSince < 0) return;
    this.#observe(this.#block + L.histogramAt(L.ACCESS_TIME, site), this.now() - this.#accessSince);
  }

  overlapped(): void {
    this.#count(L.OVERLAPPED);
  }

  expired(deadline: number): void {
    this.#observe(this.#block + L.LATENESS, Math.max(0, this.#clock.now() - deadline));
  }

  reacquiring(): void {
    this.#reacquireSince = this.now();
  }

  reacquired(): void {
    this.#observe(this.#block + L.REACQUIRE, this.now() - this.#reacquireSince);
  }

  // Lines and interrupts

  deferred(since: number): void {
    this.#observe(this.#block + L.DEFERRED_DELAY, this.now() - since);
  }

  stale(reason: Staleness): void {
    this.#count(reason === 'late' ? L.STALE_LATE : L.STALE_INVERTED);
  }

  interrupt(kind: number): void {
    this.#count(L.INTERRUPTS + kind);
  }

  coalesced(): void {
    this.#count(L.COALESCED);
  }

  /** An interrupt that was sent at this virtual time has been handed over. With a manual clock that says nothing. */
  delivered(virtualTime: number): void {
    if (!this.#clock.isManual()) this.#observe(this.#block + L.DELIVERY, Math.max(0, this.#clock.now() - virtualTime));
  }

  // The thread itself

  /** Also called, for a thread that was ended where it was, by whoever did so. */
  sleeps(): void {
    const times = this.#times;
    if (times[this.#header + L.AWAKE_SINCE] === 0) return;
    times[this.#header + L.BUSY] += this.now() - times[this.#header + L.AWAKE_SINCE];
    times[this.#header + L.AWAKE_SINCE] = 0;
  }

  wakes(): void {
    this.#times[this.#header + L.AWAKE_SINCE] = this.now();
  }

  #count(counter: number): void {
    this.#times[this.#block + counter]++;
  }

  #observe(histogram: number, duration: number): void {
    this.#times[histogram + L.bucketOf(duration)]++;
    this.#times[histogram + L.BUCKETS] += duration;
  }
}
