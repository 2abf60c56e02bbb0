import { eventName } from '../../core/machine/events.js';
import { CALL_SITES } from '../../core/sync/call-sites.js';
import { LOCK_COUNT, LOCK_NAMES } from '../../core/sync/lock-names.js';
import type { TraceRecord } from '../memory/trace-ring.js';
import * as kinds from './kinds.js';
import type { MachineTrace } from './machine-trace.js';
import { interruptDetail, lockNames, timerName } from './names.js';

export type Category = 'lock' | 'wait' | 'access' | 'callback' | 'delivery';

/** A stretch of one thread's time, in host ns. */
export interface Slice {
  readonly name: string;
  readonly category: Category;
  readonly begin: number;
  readonly end: number;
  readonly args: { readonly [name: string]: unknown };
  /** The lock, of a hold or a wait. */
  readonly lock?: number;
  /** Position in the event ring of the interrupt event that is delivered. */
  readonly event?: number;
}

/** Something that happened to a thread at one moment. */
export interface Instant {
  readonly name: string;
  readonly category: 'interrupt' | 'deadlock';
  readonly time: number;
  readonly args: { readonly [name: string]: unknown };
  readonly event?: number;
}

type Opened = Omit<Slice, 'end'>;

/** Of each kind of beginning: its end, and what keeps several of them apart that may be open at a time. */
const ENDS: { readonly [begin: number]: number } = {
  [kinds.HOLD_BEGINS]: kinds.HOLD_ENDS,
  [kinds.WAIT_BEGINS]: kinds.WAIT_ENDS,
  [kinds.ACCESS_BEGINS]: kinds.ACCESS_ENDS,
  [kinds.CALLBACK_BEGINS]: kinds.CALLBACK_ENDS,
  [kinds.DELIVERY_BEGINS]: kinds.DELIVERY_ENDS,
};
const BEGINNINGS = new Map(Object.entries(ENDS).map(([begin, end]) => [end, Number(begin)]));

/** One thread's records, as slices and instants in the order in which they ended or happened. */
export class ThreadSlices {
  readonly slices: Slice[] = [];
  readonly instants: Instant[] = [];
  readonly #open = new Map<number, Opened>();

  constructor(
    readonly trace: MachineTrace,
    readonly records: readonly TraceRecord[],
  ) {
    let before = records.at(0)?.time ?? trace.until;
    for (const record of records) {
      if (record.kind in ENDS) this.#begin(record, before);
      else if (BEGINNINGS.has(record.kind)) this.#end(record);
      else this.#happen(record);
      before = record.time;
    }
    for (const opened of this.#open.values()) this.#close(opened, trace.until, { open: true });
  }

  #begin(record: TraceRecord, before: number): void {
    const key = record.kind * LOCK_COUNT + record.lock;
    const former = this.#open.get(key);
    // An assertion broke the path off.
    if (former) this.#close(former, before, { brokenOff: true });
    this.#open.set(key, this.#opened(record, record.kind));
  }

  #end(record: TraceRecord): void {
    const kind = BEGINNINGS.get(record.kind) as number;
    const key = kind * LOCK_COUNT + record.lock;
    const opened = this.#open.get(key);
    this.#open.delete(key);
    const outcome = kind === kinds.WAIT_BEGINS ? { outcome: record.a ? 'taken' : 'refused' } : {};
    if (opened) this.#close(opened, record.time, outcome);
    else this.#close(this.#unknown(record, kind), record.time, { ...outcome, beginUnknown: true });
  }

  #close(opened: Opened, end: number, more: object): void {
    this.slices.push({ ...opened, end, args: { ...opened.args, ...more } });
  }

  /** What has an end, but whose beginning was overwritten: it began before the first record that is left. */
  #unknown(record: TraceRecord, kind: number): Opened {
    const { name, category, lock } = this.#opened(record, kind);
    return { name, category, lock, begin: this.records[0].time, args: {} };
  }

  #opened(record: TraceRecord, kind: number): Opened {
    const { time: begin, lock, a, b } = record;
    const site = CALL_SITES[record.site];
    switch (kind) {
      case kinds.HOLD_BEGINS:
        return { name: `hold ${LOCK_NAMES[lock]}`, category: 'lock', begin, lock, args: { site } };
      case kinds.WAIT_BEGINS: {
        const holder = { holder: this.#threadName(a & 0xff), holderSite: CALL_SITES[a >> 8] };
        const args = { lock: LOCK_NAMES[lock], site, holds: lockNames(b), ...holder };
        return { name: `wait ${LOCK_NAMES[lock]}`, category: 'wait', begin, lock, args };
      }
      case kinds.ACCESS_BEGINS:
        return { name: site, category: 'access', begin, args: { address: `0x${(a >>> 0).toString(16)}`, size: b } };
      case kinds.CALLBACK_BEGINS:
        return {
          name: 'timer-callback',
          category: 'callback',
          begin,
          args: { timer: timerName(a), late: record.number },
        };
      default:
        return { name: `deliver ${eventName(b)}`, category: 'delivery', begin, event: a >>> 0, args: {} };
    }
  }

  #happen({ time, kind, a, b }: TraceRecord): void {
    if (kind === kinds.DEADLOCK) {
      this.instants.push({ name: 'deadlock', category: 'deadlock', time, args: { outcome: a ? 'broken' : 'hung' } });
    } else {
      const { name, args } = interruptDetail(b);
      this.instants.push({ name, category: 'interrupt', time, event: a >>> 0, args });
    }
  }

  /** Null if the lock had been given back by the time that this thread looked. */
  #threadName(thread: number): string | null {
    return thread === 0 ? null : (this.trace.threads.get(thread)?.name ?? `thread ${thread}`);
  }
}
