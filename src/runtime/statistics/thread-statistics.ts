import { Clock } from '../../core/machine/clock.js';
import type { EventWords } from '../../core/memory/event-words.js';
import { SharedMemory } from '../../core/memory/shared-memory.js';
import { BQL, DEVICE } from '../../core/sync/lock-names.js';
import { ownerOf } from '../../core/sync/mutex.js';
import {
  STATISTICS_EXACT,
  STATISTICS_OPTIONS,
  STATISTICS_SLOT,
  STATISTICS_TRACED,
  type Staleness,
  type Statistics,
} from '../../core/sync/statistics.js';
import * as L from '../memory/statistics-layout.js';
import type { TraceMap } from '../memory/trace-map.js';
import { ThreadTrace } from '../trace/thread-trace.js';

/** Of holds and accesses, one in this many is timed. */
export const SAMPLING = 64;

/** Where the statistics of all threads lie; part of `SharedMap`. */
export interface StatisticsMap extends TraceMap {
  /** Word address. */
  readonly statistics: number;
  readonly statisticsSlots: number;
}

/**
 * What one thread counts, in shared memory; a reader may be one count behind. Where a machine is traced, it is also what
 * writes the trace. Every hold and access is timed then, so that the common path has no branch more for it.
 */
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
  /** The same for what goes into the histograms. */
  #sampleMask = SAMPLING - 1;
  #samplePhase = SAMPLING >> 1;
  readonly #trace: ThreadTrace;
  #isTraced = false;

  /** Bit n: the hold of lock n is being timed. */
  #timed = 0;
  /** −1 if the time is not for the histogram. */
  readonly #heldSince = new Float64Array(32);
  readonly #heldRow = new Int32Array(32);
  #waitSince = 0;
  #waitHolder = 0;
  #accesses = 0;
  /** −1 if the access is not timed, −2 if that is not for the histogram. */
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
    this.#trace = new ThreadTrace(this.#memory, map, thread);
  }

  select(base: number): void {
    this.#machine.select(base);
    const options = this.#machine.get(STATISTICS_OPTIONS);
    const { statistics, statisticsSlots } = this.map;
    this.#block = L.blockAt(statistics, statisticsSlots, this.thread, options & STATISTICS_SLOT);
    this.#sampleMask = options & STATISTICS_EXACT ? 0 : SAMPLING - 1;
    // Not the first of all, which runs cold.
    this.#samplePhase = options & STATISTICS_EXACT ? 0 : SAMPLING >> 1;
    this.#mask = this.#sampleMask;
    this.#phase = this.#samplePhase;
    this.#isTraced = (options & STATISTICS_TRACED) !== 0;
    if (this.#isTraced) this.#traces(base);
  }

  #traces(base: number): void {
    this.#mask = this.#phase = 0;
    this.#trace.select(base);
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
    if ((before & this.#mask) === this.#phase) this.#timeHold(lock, site, row, before);
  }

  #timeHold(lock: number, site: number, row: number, before: number): void {
    const now = this.now();
    this.#timed |= 1 << lock;
    this.#heldRow[lock] = row;
    this.#heldSince[lock] = (before & this.#sampleMask) === this.#samplePhase ? now : -1;
    if (this.#isTraced) this.#trace.holdBegins(now, lock, site);
  }

  releasing(lock: number): void {
    if (this.#timed & (1 << lock)) this.#holdEnds(lock);
  }

  #holdEnds(lock: number): void {
    const now = this.now();
    const since = this.#heldSince[lock];
    this.#timed &= ~(1 << lock);
    if (since >= 0) this.#observe(this.#heldRow[lock] + L.HOLD, now - since);
    if (this.#isTraced) this.#trace.holdEnds(now, lock);
  }

  contended(lock: number, site: number, held: number, address: number): void {
    this.#count(L.rowAt(lock, site) + L.CONTENDED);
    const { statistics, statisticsSlots } = this.map;
    // Both may be outdated: the lock may go from hand to hand meanwhile.
    const holder = ownerOf(this.#memory, address);
    const header = L.headerAt(statistics, statisticsSlots, holder);
    const holderSite = this.#times[header + L.LAST_SITE + lock];
    this.#waitHolder = holder * 8 + holderSite;
    this.#waitSince = this.now();
    if (this.#isTraced) this.#trace.waitBegins(this.#waitSince, lock, site, held, holder, holderSite);
  }

  waited(lock: number, site: number, held: number, taken: boolean): void {
    const now = this.now();
    if (this.#isTraced) this.#trace.waitEnds(now, lock, site, taken);
    const duration = now - this.#waitSince;
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
    if (this.#isTraced) this.#trace.deadlock(this.now(), refused);
  }

  orderInversion(): void {
    this.#count(L.ORDER_INVERSIONS);
  }

  // Accesses and callbacks

  accessBegins(site: number, address: number, size: number): void {
    const before = this.#accesses++;
    this.#times[this.#header + L.LAST_WORK] = address;
    this.#accessSince = (before & this.#mask) === this.#phase ? this.#timeAccess(site, address, size, before) : -1;
  }

  #timeAccess(site: number, address: number, size: number, before: number): number {
    const now = this.now();
    if (this.#isTraced) this.#trace.accessBegins(now, site, address, size);
    return (before & this.#sampleMask) === this.#samplePhase ? now : -2;
  }

  accessEnds(site: number): void {
    this.#count(L.ACCESSES + site);
    if (this.#accessSince !== -1) this.#timedAccessEnds(site);
  }

  #timedAccessEnds(site: number): void {
    const now = this.now();
    const since = this.#accessSince;
    if (since >= 0) this.#observe(this.#block + L.histogramAt(L.ACCESS_TIME, site), now - since);
    if (this.#isTraced) this.#trace.accessEnds(now, site);
  }

  overlapped(): void {
    this.#count(L.OVERLAPPED);
  }

  callbackBegins(timer: number, deadline: number): void {
    this.#times[this.#header + L.LAST_WORK] = -1 - timer;
    if (this.#isTraced) this.#trace.callbackBegins(this.now(), timer, this.#lateness(deadline));
  }

  callbackEnds(): void {
    if (this.#isTraced) this.#trace.callbackEnds(this.now());
  }

  expired(deadline: number): void {
    this.#observe(this.#block + L.LATENESS, this.#lateness(deadline));
  }

  #lateness(deadline: number): number {
    return Math.max(0, this.#clock.now() - deadline);
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
    if (this.#isTraced) this.#trace.interrupt(this.now());
  }

  emitted(position: number, event: Readonly<EventWords>): void {
    if (this.#isTraced) this.#trace.emitted(position, event);
  }

  coalesced(): void {
    this.#count(L.COALESCED);
  }

  /** The gateway begins to deliver an event of the machine, and has delivered it. */
  deliveryBegins(position: number, kind: number): void {
    if (this.#isTraced) this.#trace.deliveryBegins(this.now(), position, kind);
  }

  deliveryEnds(): void {
    if (this.#isTraced) this.#trace.deliveryEnds(this.now());
  }

  /** An interrupt that was sent at this virtual time has been delivered. With a manual clock that says nothing. */
  delivered(virtualTime: number): void {
    if (!this.#clock.isManual()) this.#observe(this.#block + L.DELIVERY, Math.max(0, this.#clock.now() - virtualTime));
  }

  // The thread itself

  /** Also called by the thread that ended another one. */
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
