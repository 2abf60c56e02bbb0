import type { Memory } from '../../core/memory/memory.js';
import { CALL_SITES } from '../../core/sync/call-sites.js';
import { LOCK_NAMES } from '../../core/sync/lock-names.js';
import { lockAt } from '../../core/sync/locks.js';
import { ownerOf } from '../../core/sync/mutex.js';
import { WaitGraph } from '../../core/sync/wait-graph.js';
import { EventRing } from '../events/event-ring.js';
import { RING_WAIT, Roles, SETTLE_WAIT, ThreadProgress } from '../memory/progress.js';
import {
  bitmapWords,
  drainsAt,
  GATEWAY_THREAD,
  machineAt,
  type SharedMap,
  slotAt,
  submissionRingAt,
  vcpuBellAt,
} from '../memory/shared-map.js';
import { Doorbell } from '../rings/doorbell.js';
import { SubmissionRing } from '../rings/submission-ring.js';

/** Time between two ticks in ms, and how many of them without progress are a stall: 5 s. */
export const TICK_MS = 250;
export const STALL_TICKS = 20;
/** A tick that comes this much later than it should restarts the counts, in ns: the process did not run, or starved. */
const LATE_TICK = 2 * TICK_MS * 1e6;

const EVENT_RING = 'event ring';

/** What a thread waits for that makes no progress. */
export interface StalledWait {
  readonly thread: number;
  /** The machine that the thread is in, or -1. */
  readonly slot: number;
  /** A lock, `event ring`, `main loop`, or `nothing`: the thread runs, or sleeps although it has work. */
  readonly waitsFor: string;
  /** Of a lock: the call site that asked for it. */
  readonly site: string | undefined;
  /** The thread that it waits for, 0 if there is none. */
  readonly owner: number;
}

/** A thread that makes no progress. */
export interface Stall {
  readonly thread: number;
  /** Its own wait, then those of the threads that wait for it. */
  readonly waits: readonly StalledWait[];
}

/** A thread that is watched: the main loop, or a vCPU thread. */
interface Watched {
  thread: number;
  done: number;
  /** Ticks without progress although there was work. */
  ticks: number;
}

/**
 * Finds threads that make no progress although they have work. It counts its own ticks, and starts again after a tick that
 * is late: a process that was stopped, suspended, debugged or starved has not stalled. A thread that waits for one which
 * makes progress has not stalled either, nor does one whose events a busy gateway has yet to take.
 */
export class Watchdog {
  readonly #roles: Roles;
  readonly #events: EventRing;
  readonly #graph: WaitGraph;
  readonly #watched: Watched[];
  readonly #reported = new Set<number>();
  /** Host time of the tick before. */
  #before: number | undefined;
  #gatewayTicks = -1;
  #gatewaySilent = 0;
  /** Where the event ring stood, and the ticks for which it stayed there although the gateway had turns. */
  #head = 0;
  #headTicks = 0;

  constructor(
    readonly shared: Memory,
    readonly map: SharedMap,
  ) {
    this.#roles = new Roles(shared, map.progress);
    this.#events = new EventRing(shared, map.eventRing, map.events, map.vcpuThreads + 2, false, map.burst);
    this.#graph = new WaitGraph(shared, 0);
    this.#watched = Array.from({ length: map.vcpuThreads + 1 }, () => ({ thread: 0, done: 0, ticks: 0 }));
  }

  /** Ticks in which the gateway's timer had no turn. */
  get gatewaySilence(): number {
    return this.#gatewaySilent;
  }

  /** One tick at host time `now`: the stalls that have begun, and the threads whose stall has ended. */
  tick(now: number): { readonly begun: Stall[]; readonly ended: number[] } {
    const isLate = this.#before !== undefined && now - this.#before > LATE_TICK;
    this.#before = now;
    this.#watchGateway();
    for (const [index, watched] of this.#watched.entries()) {
      const isStuck = this.#isStuck(index, watched);
      watched.ticks = isStuck && !isLate ? watched.ticks + 1 : 0;
    }
    const ended = [...this.#reported].filter((thread) => !this.#isStill(thread, isLate));
    for (const thread of ended) this.#reported.delete(thread);
    return { begun: this.#begun(), ended };
  }

  /** Whether a stall that was reported goes on; a late tick does not end it. */
  #isStill(thread: number, isLate: boolean): boolean {
    return this.#watched.some((each) => each.thread === thread && (each.ticks > 0 || isLate));
  }

  #watchGateway(): void {
    const { gatewayTicks } = this.#roles;
    this.#gatewaySilent = gatewayTicks === this.#gatewayTicks ? this.#gatewaySilent + 1 : 0;
    this.#gatewayTicks = gatewayTicks;
    const head = this.#events.head();
    const isStuck = head === this.#head && head !== this.#events.tail() && this.#gatewaySilent === 0;
    this.#headTicks = isStuck ? this.#headTicks + 1 : 0;
    this.#head = head;
  }

  /** Whether a thread has work, and has done nothing since the tick before. */
  #isStuck(index: number, watched: Watched): boolean {
    const thread = index === 0 ? this.#roles.mainLoop : this.#roles.vcpu(index - 1);
    const { done } = this.#progressOf(thread);
    const isSame = thread === watched.thread && done === watched.done;
    watched.thread = thread;
    watched.done = done;
    return isSame && thread !== 0 && this.#hasWork(index);
  }

  #hasWork(index: number): boolean {
    const { shared, map } = this;
    if (index === 0) {
      const isAwake = !new Doorbell(shared, map.mainLoopBell).isAsleep;
      return isAwake || this.#isAny(map.kicked) || shared.load(map.roundsDone) !== shared.load(map.roundsWanted);
    }
    const vcpu = index - 1;
    const ring = new SubmissionRing(shared, submissionRingAt(map, this.#roles.ring(vcpu)), map.submissions);
    const isAwake = !new Doorbell(shared, vcpuBellAt(map, vcpu)).isAsleep;
    return isAwake || ring.hasRequest() || this.#isAny(drainsAt(map, vcpu));
  }

  #isAny(bitmap: number): boolean {
    for (let word = 0; word < bitmapWords(this.map); word++) if (this.shared.load(bitmap + word) !== 0) return true;
    return false;
  }

  /** The stalls that no earlier tick found. A thread that waits for a stalled one belongs to the stall of that one. */
  #begun(): Stall[] {
    const stuck = this.#watched.filter(({ ticks }) => ticks >= STALL_TICKS).map(({ thread }) => thread);
    const waits = new Map(stuck.map((thread) => [thread, this.#waitOf(thread)]));
    const stalls = new Map<number, StalledWait[]>();
    for (const [thread, wait] of waits) {
      const last = lastOf(thread, waits);
      if (this.#getsOn(last)) continue;
      const stall = stalls.get(last.thread) ?? [last];
      stalls.set(last.thread, stall);
      if (thread !== last.thread) stall.push(wait);
    }
    const begun = [...stalls].filter(([thread]) => !this.#reported.has(thread));
    for (const [thread] of begun) this.#reported.add(thread);
    return begun.map(([thread, waits]) => ({ thread, waits }));
  }

  /** Whether the thread that is waited for makes progress: the others wait for it rightly, however long. */
  #getsOn({ owner, waitsFor }: StalledWait): boolean {
    if (owner === GATEWAY_THREAD) {
      return this.#gatewaySilent > 0 || (waitsFor === EVENT_RING && this.#headTicks < STALL_TICKS);
    }
    return this.#watched.some(({ thread, ticks }) => thread === owner && ticks < STALL_TICKS);
  }

  #waitOf(thread: number): StalledWait {
    const { wait, slot } = this.#progressOf(thread);
    const { lock, site } = this.#graph.waiter(thread);
    if (lock !== 0) {
      const owned = slotAt(this.map, lock);
      const name = LOCK_NAMES[lockAt(lock - machineAt(this.map, owned))];
      return { thread, slot: owned, waitsFor: name, site: CALL_SITES[site], owner: ownerOf(this.shared, lock) };
    }
    if (wait === RING_WAIT) return { thread, slot, waitsFor: EVENT_RING, site: undefined, owner: GATEWAY_THREAD };
    const owner = wait === SETTLE_WAIT ? this.#roles.mainLoop : 0;
    return { thread, slot, waitsFor: owner ? 'main loop' : 'nothing', site: undefined, owner };
  }

  #progressOf(thread: number): ThreadProgress {
    return new ThreadProgress(this.shared, this.map.progress, thread);
  }
}

/** The wait at the end of a path of waits: for no thread, or for one that is not stuck. Of a circle, the last of it. */
function lastOf(thread: number, waits: ReadonlyMap<number, StalledWait>): StalledWait {
  const passed = new Set<number>();
  let wait = waits.get(thread) as StalledWait;
  for (let next = waits.get(wait.owner); next && !passed.has(next.thread); next = waits.get(wait.owner)) {
    passed.add(next.thread);
    wait = next;
  }
  return wait;
}
