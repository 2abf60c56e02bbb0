import type { Memory } from '../../core/memory/memory.js';
import { MAX_THREADS } from '../../core/sync/wait-graph.js';
import { GATEWAY_THREAD, type SharedMap } from '../memory/shared-map.js';
import * as L from '../memory/statistics-layout.js';
import { type Durations, type LockRow, SlotTotals } from './slot-totals.js';

/** Sums what all threads counted. Addresses of counters are those of `statistics-layout.ts`. */
export class StatisticsReader {
  readonly #busy = new Map<number, number>();
  /** Counts that deleted machines left, by the shared slot that they belong to. */
  readonly #inherited = new Map<number, SlotTotals>();

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
    return thread >= GATEWAY_THREAD && this.#get(this.#headerOf(thread) + L.STARTED) !== 0;
  }

  /** Everything that was counted in a slot. */
  totals(slot: number): SlotTotals {
    const totals = new SlotTotals();
    const inherited = this.#inherited.get(slot);
    if (inherited) totals.addTotals(inherited);
    for (const thread of this.threads) totals.addBlock(this.shared, this.#blockOf(thread, slot) * 2);
    return totals;
  }

  /** A counter of a slot, over all threads. */
  sum(slot: number, counter: number): number {
    return this.totals(slot).count(counter);
  }

  durations(slot: number, histogram: number): Durations {
    return this.totals(slot).durations(histogram);
  }

  /** The rows of a slot in which anything was counted. */
  locks(slot: number): LockRow[] {
    return this.totals(slot).locks();
  }

  /** Adds the counts of a slot to another and clears them. No thread may count in the first: its machine is deleted. */
  move(slot: number, heir: number): void {
    const inherited = this.#inherited.get(heir) ?? new SlotTotals();
    this.#inherited.set(heir, inherited);
    inherited.addTotals(this.totals(slot));
    for (const thread of this.threads) {
      const block = this.#blockOf(thread, slot);
      for (let offset = 0; offset < L.BLOCK; offset++) {
        if (this.#get(block + offset) !== 0) this.shared.setTime((block + offset) * 2, 0);
      }
    }
  }

  /** Nanoseconds that a thread other than the gateway has spent on work. Never less than it was. */
  busy(thread: number, now: number): number {
    const header = this.#headerOf(thread);
    const since = this.#get(header + L.AWAKE_SINCE);
    const busy = this.#get(header + L.BUSY) + (since > 0 ? Math.max(0, now - since) : 0);
    // The two may be read around a sleep that begins.
    const reported = Math.max(busy, this.#busy.get(thread) ?? 0);
    this.#busy.set(thread, reported);
    return reported;
  }

  #headerOf(thread: number): number {
    return L.headerAt(this.map.statistics, this.slots, thread);
  }

  #blockOf(thread: number, slot: number): number {
    return L.blockAt(this.map.statistics, this.slots, thread, slot);
  }

  #get(address: number): number {
    return this.shared.getTime(address * 2);
  }
}
