import type { Protection } from '../../core/memory/layout.js';
import type { Memory } from '../../core/memory/memory.js';
import type { LockReports } from '../../core/sync/thread.js';
import type { Waiter } from '../../core/sync/wait-graph.js';

const CAPACITY = 32;
const MAX_MEMBERS = 4;

const COUNT = 0;
/** Reports that are complete: a thread may die while it writes one. */
const COMPLETED = 1;
const RECORDS = 16;

/** COMPLETE holds 1 + the record's position once the rest is written. */
const COMPLETE = 0;
const KIND = 1;
const TIME = 2;
const MACHINE = 4;
const MEMBERS = 5;
const FIRST_MEMBER = 6;
/** Thread, lock, site, locks held; as float64s since when and its work; the sites of the locks held, and the GSI. */
const MEMBER_WORDS = 10;
const RECORD_WORDS = FIRST_MEMBER + MAX_MEMBERS * MEMBER_WORDS;

const RING_WORDS = RECORDS + CAPACITY * RECORD_WORDS;
/** Each kind has a ring of its own, so that many of one kind push out none of another. */
export const LOCK_REPORT_WORDS = 3 * RING_WORDS;

/** What protects a word of the rings, by its offset in them. */
export function lockReportProtection(offset: number): Protection {
  const inRing = offset % RING_WORDS;
  return inRing < RECORDS || (inRing - RECORDS) % RECORD_WORDS === COMPLETE ? 'sync' : 'ring';
}

/** How a thread came to wait for a lock in a deadlock. */
export interface Circumstances {
  /** Per lock, 3 bits: the call site at which the thread took it. Valid for locks that it holds. */
  readonly sites: number;
  /** The guest address of its access, −1 − the timer of its callback, or 0 if it executes neither. */
  readonly work: number;
  /** The GSI that the timer drives, or −1 for none. */
  readonly gsi: number;
}

/** Of a thread whose statistics are not at hand. */
const UNKNOWN: Circumstances = { sites: 0, work: 0, gsi: -1 };

const HUNG = 1;
const BROKEN = 2;
const INVERSION = 3;

export interface LockReport {
  readonly kind: 'deadlock' | 'deadlock-broken' | 'order-inversion';
  /** Its place among all reports of its kind. */
  readonly position: number;
  /** Host time in ns. */
  readonly time: number;
  /** Word address of the machine; 0 for a deadlock, whose locks say it. */
  readonly machine: number;
  /** A deadlock: who waits for which lock (absolute address). An inversion: one entry; `lock` inner, `held` outer. */
  readonly members: readonly (Waiter & Circumstances)[];
}

/** The last 32 reports, and how many there were. */
class Ring {
  constructor(
    readonly shared: Memory,
    readonly at: number,
  ) {}

  write(
    kind: number,
    machine: number,
    members: readonly Waiter[],
    circumstances: (waiter: Waiter) => Circumstances,
  ): void {
    const { shared } = this;
    const position = shared.add(this.at + COUNT, 1);
    const record = this.#record(position);
    shared.set(record + KIND, kind);
    shared.setTime(record + TIME, shared.hostTime());
    shared.set(record + MACHINE, machine);
    const count = Math.min(members.length, MAX_MEMBERS);
    shared.set(record + MEMBERS, count);
    for (let i = 0; i < count; i++) {
      const member = record + FIRST_MEMBER + i * MEMBER_WORDS;
      shared.set(member, members[i].thread);
      shared.set(member + 1, members[i].lock);
      shared.set(member + 2, members[i].site);
      shared.set(member + 3, members[i].held);
      shared.setTime(member + 4, members[i].since);
      const { work, sites, gsi } = circumstances(members[i]);
      shared.setTime(member + 6, work);
      shared.set(member + 8, sites);
      shared.set(member + 9, gsi);
    }
    shared.store(record + COMPLETE, position + 1);
    shared.add(this.at + COMPLETED, 1);
  }

  /** How many reports were ever made. */
  get count(): number {
    return this.shared.load(this.at + COUNT);
  }

  get complete(): number {
    return this.shared.load(this.at + COMPLETED);
  }

  /** The reports from position `from` on that are still kept. */
  read(from: number): LockReport[] {
    const { shared } = this;
    const reports: LockReport[] = [];
    for (let position = Math.max(from, this.count - CAPACITY); position < this.count; position++) {
      const record = this.#record(position);
      if (shared.load(record + COMPLETE) !== position + 1) continue;
      const kind = shared.get(record + KIND);
      const members: (Waiter & Circumstances)[] = [];
      for (let i = 0; i < shared.get(record + MEMBERS); i++) {
        const member = record + FIRST_MEMBER + i * MEMBER_WORDS;
        members.push({
          thread: shared.get(member),
          lock: shared.get(member + 1),
          site: shared.get(member + 2),
          held: shared.get(member + 3),
          since: shared.getTime(member + 4),
          work: shared.getTime(member + 6),
          sites: shared.get(member + 8),
          gsi: shared.get(member + 9),
        });
      }
      reports.push({
        kind: kind === HUNG ? 'deadlock' : kind === BROKEN ? 'deadlock-broken' : 'order-inversion',
        position,
        time: shared.getTime(record + TIME),
        machine: shared.get(record + MACHINE),
        members,
      });
    }
    return reports;
  }

  #record(position: number): number {
    return this.at + RECORDS + (position % CAPACITY) * RECORD_WORDS;
  }
}

/** What threads found out about deadlocks and lock order, kept for the gateway. */
export class LockReportRings implements LockReports {
  /** Deadlocks that a refused lock ended. */
  readonly broken: Ring;
  /** Deadlocks that were left to hang. */
  readonly hung: Ring;
  readonly inversions: Ring;

  constructor(
    shared: Memory,
    at: number,
    /** Called after a deadlock was written down. */
    readonly onDeadlock: () => void = () => {},
    /** How a thread came to wait. */
    readonly circumstances: (waiter: Waiter) => Circumstances = () => UNKNOWN,
  ) {
    this.broken = new Ring(shared, at);
    this.hung = new Ring(shared, at + RING_WORDS);
    this.inversions = new Ring(shared, at + 2 * RING_WORDS);
  }

  /** How many deadlocks were ever reported. */
  get deadlockCount(): number {
    return this.broken.count + this.hung.count;
  }

  deadlock(cycle: readonly Waiter[], refused: boolean): void {
    if (refused) this.broken.write(BROKEN, 0, cycle, this.circumstances);
    else this.hung.write(HUNG, 0, cycle, this.circumstances);
    this.onDeadlock();
  }

  orderInversion(machine: number, outer: number, inner: number, site: number): void {
    this.inversions.write(INVERSION, machine, [{ thread: 0, lock: inner, held: outer, site, since: 0 }], () => UNKNOWN);
  }
}
