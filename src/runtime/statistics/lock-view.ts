import type { Memory } from '../../core/memory/memory.js';
import { CALL_SITES } from '../../core/sync/call-sites.js';
import { LOCK_COUNT, LOCK_NAMES } from '../../core/sync/lock-names.js';
import { LockOrderRecorder } from '../../core/sync/lock-order-recorder.js';
import { lockAddress, lockAt } from '../../core/sync/locks.js';
import { ownerOf } from '../../core/sync/mutex.js';
import { MAX_THREADS, type Waiter, WaitGraph } from '../../core/sync/wait-graph.js';
import { type LockReport, LockReportRings } from '../memory/lock-reports.js';
import { GATEWAY_THREAD, machineAt, type SharedMap, slotAt, threadName } from '../memory/shared-map.js';
import { describeWork, pathOf, siteOf } from './circumstances.js';

export interface LockState {
  readonly lock: string;
  readonly owner: string | null;
  readonly waiters: readonly {
    readonly thread: string;
    readonly site: string;
    readonly holds: readonly string[];
    /** ns that it has waited so far. */
    readonly waited: number;
  }[];
}

/** A wait for a lock that has not ended. */
export interface WaitInProgress {
  /** Of the machine. */
  readonly slot: number;
  readonly lock: string;
  readonly site: string;
  /** ns so far. */
  readonly waited: number;
}

export interface LockEdge {
  readonly outer: string;
  readonly inner: string;
  /** Where `inner` was first taken under `outer`. */
  readonly site: string;
  readonly thread: string;
}

export interface DeadlockReport {
  /** `broken`: one of the acquisitions was refused, and all went on. `hung`: the threads wait indefinitely. */
  readonly outcome: 'broken' | 'hung';
  /** Host time in ns. */
  readonly at: number;
  readonly threads: readonly {
    readonly thread: string;
    readonly waitsFor: string;
    readonly site: string;
    readonly holds: readonly string[];
    /** Where it took each lock that it holds. */
    readonly taken: readonly { readonly lock: string; readonly site: string }[];
    /** Its call sites from the outermost one to the one that waits. */
    readonly path: readonly string[];
    /** The guest's access that it executes. */
    readonly access: { readonly operation: string; readonly address: string } | null;
    /** The timer whose callback it executes or that it accesses, and the GSI that this drives. */
    readonly timer: number | null;
    readonly gsi: number | null;
    /** ns that it had waited when the cycle was found; least for the thread that closed it. */
    readonly waited: number;
  }[];
}

export interface InversionReport {
  readonly at: number;
  readonly outer: string;
  readonly inner: string;
  readonly site: string;
  /** The edges that already led from `inner` back to `outer`. */
  readonly against: readonly LockEdge[];
}

/** What the gateway can see of a machine's locks, without taking any. */
export class LockView {
  readonly #graph: WaitGraph;
  readonly #reports: LockReportRings;
  /** How many reports there were when the machine of a slot was made: those are of others before it. */
  readonly #before = new Map<number, { readonly broken: number; readonly hung: number; readonly inversions: number }>();
  /** Deadlocks that machines hang in, by slot: kept until the slot has a new machine, whatever later reports push out. */
  readonly #hung = new Map<number, LockReport[]>();

  constructor(
    readonly shared: Memory,
    readonly map: SharedMap,
  ) {
    this.#graph = new WaitGraph(shared, GATEWAY_THREAD);
    this.#reports = new LockReportRings(shared, map.lockReports);
  }

  /** A machine is made in this slot; nothing of the one before it is reported. */
  begin(slot: number): void {
    const { broken, hung, inversions } = this.#reports;
    this.#before.set(slot, { broken: broken.count, hung: hung.count, inversions: inversions.count });
    this.#hung.delete(slot);
  }

  /** Owners and waiters now; a moment later it may be otherwise. */
  state(slot: number): LockState[] {
    const base = machineAt(this.map, slot);
    const waiters = this.#waiters();
    const now = this.shared.hostTime();
    return LOCK_NAMES.map((lock, index) => {
      const address = base + lockAddress(index);
      const owner = ownerOf(this.shared, address);
      return {
        lock,
        owner: owner ? threadName(owner, this.map, this.shared) : null,
        waiters: waiters
          .filter((waiter) => waiter.lock === address)
          .map(({ thread, site, held, since }) => ({
            thread: threadName(thread, this.map, this.shared),
            site: CALL_SITES[site],
            holds: names(held),
            waited: Math.max(0, now - since),
          })),
      };
    });
  }

  /** The waits for locks of all machines that have not ended. */
  waits(): WaitInProgress[] {
    const now = this.shared.hostTime();
    return this.#waiters().map(({ lock, site, since }) => ({
      slot: slotAt(this.map, lock),
      lock: this.#lockName(lock),
      site: CALL_SITES[site],
      waited: Math.max(0, now - since),
    }));
  }

  #waiters(): Waiter[] {
    return Array.from({ length: MAX_THREADS }, (_, id) => this.#graph.waiter(id)).filter(({ lock }) => lock !== 0);
  }

  /** How many deadlocks were ever reported in full. */
  get deadlockCount(): number {
    return this.#reports.broken.complete + this.#reports.hung.complete;
  }

  /** The machines that a deadlock was left to hang in. */
  hungSlots(): number[] {
    this.#keepHung();
    return [...this.#hung.keys()];
  }

  #keepHung(): void {
    for (const report of this.#reports.hung.read(0)) {
      const slot = this.#slotOf(report);
      const kept = this.#hung.get(slot) ?? [];
      if (report.position < (this.#before.get(slot)?.hung ?? 0)) continue;
      if (kept.some(({ position }) => position === report.position)) continue;
      this.#hung.set(slot, [...kept, report]);
    }
  }

  #hungOf(slot: number): readonly LockReport[] {
    this.#keepHung();
    return this.#hung.get(slot) ?? [];
  }

  /** The machines, of these slots, that have a lock which belongs to a thread. */
  slotsHeldBy(thread: number, slots: Iterable<number>): number[] {
    const holds = (slot: number, lock: number) =>
      ownerOf(this.shared, machineAt(this.map, slot) + lockAddress(lock)) === thread;
    return [...slots].filter((slot) => LOCK_NAMES.some((_, lock) => holds(slot, lock)));
  }

  /**
   * The threads that will never leave a machine: those of a deadlock, those that gave up, and threads that wait for one of
   * them, or for one that is `gone`.
   */
  stuckThreads(slot: number, gone: ReadonlySet<number>): number[] {
    const waiters = this.#waiters().filter(({ lock }) => slotAt(this.map, lock) === slot);
    const stuck = new Set(this.#hungOf(slot).flatMap(({ members }) => members.map(({ thread }) => thread)));
    const inside = (thread: number) => waiters.some((waiter) => waiter.thread === thread);
    for (const thread of stuck) if (!inside(thread)) stuck.delete(thread);
    for (let found = -1; found !== stuck.size; ) {
      found = stuck.size;
      for (const { thread, lock, forever } of waiters) {
        const owner = ownerOf(this.shared, lock);
        if (forever || stuck.has(owner) || gone.has(owner)) stuck.add(thread);
      }
    }
    return [...stuck];
  }

  /** Every order in which two locks were ever taken. `machine` is memory that shows the machine. */
  order(machine: Memory): LockEdge[] {
    return new LockOrderRecorder(machine).edges().map(({ outer, inner, site, thread }) => ({
      outer: LOCK_NAMES[outer],
      inner: LOCK_NAMES[inner],
      site: CALL_SITES[site],
      thread: threadName(thread, this.map, this.shared),
    }));
  }

  deadlocks(slot: number): DeadlockReport[] {
    return this.#deadlocksOf(slot).map(({ kind, time, members }) => ({
      outcome: kind === 'deadlock' ? 'hung' : 'broken',
      at: time,
      threads: members.map((member) => this.#describeMember(member, time)),
    }));
  }

  #describeMember(member: LockReport['members'][number], time: number): DeadlockReport['threads'][number] {
    const { thread, lock, held, since } = member;
    const site = CALL_SITES[member.site];
    const taken = names(held).map((name) => ({
      lock: name,
      site: CALL_SITES[siteOf(member, LOCK_NAMES.indexOf(name))],
    }));
    const sites = [...taken.map((each) => each.site), site];
    return {
      thread: threadName(thread, this.map, this.shared),
      waitsFor: this.#lockName(lock),
      site,
      holds: names(held),
      taken,
      path: pathOf(sites),
      ...describeWork(member, site, sites),
      waited: Math.max(0, time - since),
    };
  }

  inversions(slot: number, machine: Memory): InversionReport[] {
    const edges = this.order(machine);
    return this.#reports.inversions
      .read(this.#before.get(slot)?.inversions ?? 0)
      .filter((report) => this.#slotOf(report) === slot)
      .map(({ time, members: [{ lock, held, site }] }) => ({
        at: time,
        outer: LOCK_NAMES[held],
        inner: LOCK_NAMES[lock],
        site: CALL_SITES[site],
        against: pathBetween(edges, LOCK_NAMES[lock], LOCK_NAMES[held]),
      }));
  }

  #deadlocksOf(slot: number): LockReport[] {
    const broken = this.#reports.broken.read(this.#before.get(slot)?.broken ?? 0);
    return [...broken.filter((report) => this.#slotOf(report) === slot), ...this.#hungOf(slot)].sort(
      (one, other) => one.time - other.time,
    );
  }

  #slotOf(report: LockReport): number {
    return slotAt(this.map, report.machine || report.members[0].lock);
  }

  #lockName(address: number): string {
    return LOCK_NAMES[lockAt(address - machineAt(this.map, slotAt(this.map, address)))];
  }
}

function names(held: number): (typeof LOCK_NAMES)[number][] {
  return LOCK_NAMES.filter((_, lock) => held & (1 << lock));
}

/** The shortest chain of edges from one lock to another. */
function pathBetween(edges: readonly LockEdge[], from: string, to: string): LockEdge[] {
  let paths: LockEdge[][] = edges.filter((edge) => edge.outer === from).map((edge) => [edge]);
  for (let length = 1; length <= LOCK_COUNT; length++) {
    const found = paths.find((path) => path.at(-1)?.inner === to);
    if (found) return found;
    paths = paths.flatMap((path) =>
      edges.filter((edge) => edge.outer === path.at(-1)?.inner).map((edge) => [...path, edge]),
    );
  }
  return [];
}
