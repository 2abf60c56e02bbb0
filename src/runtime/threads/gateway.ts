import type { DueWork } from '../../core/machine/due-work.js';
import { Machine } from '../../core/machine/machine.js';
import type { Memory } from '../../core/memory/memory.js';
import type { Thread } from '../../core/sync/thread.js';
import type { EventRing, MachineEvent } from '../events/event-ring.js';
import { ControlQueue } from '../rings/control-queue.js';
import { type Completion, Dispatch, type Lane, type Request } from '../rings/dispatch.js';
import { CONTINUE_STEP, GONE, NOTHING, READ, STEP, STEPPING, SubmissionRing } from '../rings/submission-ring.js';
import { LockView } from '../statistics/lock-view.js';
import { type HangPorts, HungMachines } from '../supervisor/hung-machines.js';
import { ThreadHost } from './host.js';
import { InlineExecution } from './inline.js';
import { machineAt, type SharedMap, submissionRingAt } from './shared-map.js';

const NO_SLOT = -1;

/** Events delivered before the gateway returns to its sockets: each may go to hundreds of subscribers. */
const EVENTS_PER_TURN = 64;

export interface GatewayOptions {
  /** `auto`: an access that cannot block runs where it is submitted. `threads`, the default: all run on vCPU threads. */
  readonly execution?: 'auto' | 'threads' | undefined;
}

/** What the gateway cannot do by itself. */
export interface GatewayPorts extends HangPorts {
  /** Takes an event of the machine in a slot. The event object is used again. */
  deliver(slot: number, event: MachineEvent): void;
}

/** A request that ran inline, and is answered once the events before position `behind` are delivered. */
interface InlineResult {
  readonly behind: number;
  readonly answer: () => void;
}

interface Round {
  readonly wanted: number;
  readonly done: () => void;
}

/**
 * What the gateway does between two looks at its sockets: submits requests, and hands over events and results in an
 * order in which every event comes before the result of the request that caused it. It never waits, and knows of no
 * event loop: the engine runs it on Node's, exploration on its own.
 */
export class Gateway {
  /** For making machines, for reading what needs no lock, and for inline execution. */
  readonly machine: Machine;
  readonly due: DueWork;
  readonly host: ThreadHost;
  readonly lockView: LockView;
  readonly hung: HungMachines;
  readonly controls: ControlQueue;
  /** The vCPU threads, by index. */
  readonly vcpus: Dispatch[] = [];
  /** Those that hang and still have results to hand over. */
  retired: Dispatch[] = [];
  readonly inlineResults: InlineResult[] = [];
  /** Position of the event ring up to which events are delivered. */
  drained = 0;
  /** Events and results, counted. */
  #handedOver = 0;

  readonly #events: EventRing;
  readonly #inline: InlineExecution;
  readonly #rounds: Round[] = [];

  constructor(
    readonly thread: Thread,
    memory: Memory,
    readonly map: SharedMap,
    readonly ports: GatewayPorts,
    readonly options: GatewayOptions,
  ) {
    this.host = new ThreadHost(thread.shared, map, false);
    this.#events = this.host.events;
    this.machine = new Machine(memory, thread, this.host);
    this.due = this.machine.due;
    this.lockView = new LockView(thread.shared, map);
    this.#inline = new InlineExecution(this.machine, this.#events);
    this.controls = new ControlQueue((slot) => this.dueWorkOf(slot));
    this.hung = new HungMachines(this.lockView, ports);
  }

  /** Events in the ring that are not delivered yet. */
  get waitingEvents(): number {
    return (this.#events.tail() - this.drained) | 0;
  }

  /** The gateway's side of a vCPU thread with one of the rings. */
  dispatch(thread: number, ring: number): Dispatch {
    const { shared } = this.thread;
    return new Dispatch(
      thread,
      ring,
      new SubmissionRing(shared, submissionRingAt(this.map, ring), this.map.submissions),
    );
  }

  dueWorkOf(slot: number): DueWork {
    this.machine.select(machineAt(this.map, slot));
    return this.due;
  }

  // Requests

  /**
   * Executes a request inline if nothing of its lane is in flight and it cannot block, else submits it to a
   * vCPU thread. It is answered behind the events that it caused.
   */
  perform(
    vcpuThread: number,
    slot: number,
    operation: number,
    size: number,
    address: number,
    low: number,
    high: number,
    answer: Completion,
    lane: Lane,
  ): void {
    const status = this.inlineFor(slot, lane)?.run(operation, size, address, low, high);
    if (status === undefined) {
      this.enter(vcpuThread, this.request(slot, operation, size, address, low, high, answer, lane), lane);
      return;
    }
    const { lo, hi } = this.machine.value;
    this.afterEvents(() => (operation === READ ? answer(status, lo, hi) : answer(status, 0, 0)));
  }

  /** Submits a request of a lane, if it has one, once no step before it is pending. */
  enter(vcpuThread: number, request: Request, lane?: Lane): void {
    if (lane?.behindStep) lane.behindStep.push(() => this.enter(vcpuThread, request, lane));
    else if (lane && request.operation === STEP) this.#enterStep(vcpuThread, request, lane);
    else this.submit(vcpuThread, request);
  }

  #enterStep(vcpuThread: number, request: Request, lane: Lane): void {
    const behind: (() => void)[] = [];
    lane.behindStep = behind;
    const answer: Completion = (status, low, high) => {
      // What this sends joins the end of the line.
      request.answer(status, low, high);
      lane.behindStep = undefined;
      // One of these may be a step, behind which the others wait again.
      for (const enter of behind) enter();
    };
    this.submit(vcpuThread, { ...request, answer });
  }

  /** A request in flight in its lane, if it has one, until it is answered. */
  request(
    slot: number,
    operation: number,
    size: number,
    address: number,
    low: number,
    high: number,
    completion: Completion,
    lane?: Lane,
  ): Request {
    const base = machineAt(this.map, slot);
    if (!lane) return { slot, operation, size, base, address, low, high, answer: completion };
    lane.inFlight++;
    const answer: Completion = (status, lowRead, highRead) => {
      lane.inFlight--;
      completion(status, lowRead, highRead);
    };
    return { slot, operation, size, base, address, low, high, answer };
  }

  /** Submits a request to a vCPU thread. Requests of one thread are answered in order. */
  submit(vcpuThread: number, request: Request): void {
    if (this.hung.hold(request)) return;
    if (this.vcpus[vcpuThread].send(request)) this.host.vcpuBells[vcpuThread].ring();
  }

  /**
   * Executes accesses of a lane inline, if nothing of it is in flight; turned to the machine, and good for this
   * machine until something else is done here. Answers have to go through `afterEvents`.
   */
  inlineFor(slot: number, lane: Lane): InlineExecution | undefined {
    if (lane.inFlight > 0 || this.options.execution !== 'auto') return undefined;
    return this.#inline.select(machineAt(this.map, slot));
  }

  /**
   * Calls back once the events of inline accesses are delivered: at once, unless one before them is incomplete,
   * or belongs behind a result of a vCPU thread that is not delivered yet.
   */
  afterEvents(answer: () => void): void {
    // In this order: an event before the tail has before it the results that came before it.
    const behind = this.#events.tail();
    const missing = (behind - this.drained) | 0;
    if (this.inlineResults.length > 0 || (this.#events.emitted && missing > 0 && !this.#canDeliver(missing))) {
      this.inlineResults.push({ behind, answer });
      this.host.gatewayBell.ring();
    } else {
      answer();
    }
    this.#events.emitted = false;
  }

  #canDeliver(events: number): boolean {
    return this.#dispatches.every((vcpu) => vcpu.isHandedOver) && this.#drain(events) === events;
  }

  /** Resolves when every vCPU thread has done what it was at, or another has taken its place. */
  async barrier(): Promise<void> {
    const passed = this.vcpus.map(
      (_, index) =>
        new Promise<void>((done) => {
          const request = this.request(0, NOTHING, 0, 0, 0, 0, () => done());
          // Of no machine: none keeps it, whatever has become of it.
          this.submit(index, { ...request, slot: NO_SLOT });
        }),
    );
    await Promise.all(passed);
  }

  /** Requests a round of the main loop; calls back when it is complete. */
  round(done: () => void): void {
    const wanted = (this.thread.shared.add(this.map.roundsWanted, 1) + 1) | 0;
    this.#rounds.push({ wanted, done });
    this.host.mainLoopBell.ring();
  }

  // Turns

  /** One turn. Returns undefined if there is more to do, else the count of rings of the gateway's bell to sleep on. */
  step(): number | undefined {
    if (this.turn() || this.#hasWork()) return undefined;
    const bell = this.host.gatewayBell;
    const rings = bell.prepareToSleep();
    if (!this.#hasWork()) return rings;
    bell.wake();
    return undefined;
  }

  /** Sleep has ended. */
  wake(): void {
    this.host.gatewayBell.wake();
  }

  #hasWork(): boolean {
    return (
      this.#events.hasEvents() ||
      this.#dispatches.some((vcpu) => vcpu.ring.completed() !== vcpu.answered) ||
      this.inlineResults.length > 0 ||
      this.#isRoundDone() ||
      this.hung.hasNews ||
      this.controls.hasWork
    );
  }

  /** Hands over events and results in the order in which they came about; returns whether there was anything. */
  turn(): boolean {
    const before = this.#handedOver;
    // In this order: what was told by then belongs to requests that are answered in this turn, or later.
    const told = this.#events.tail();
    this.hung.note();
    const dispatches = this.#dispatches;
    const completed = dispatches.map((vcpu) => vcpu.ring.completed());
    this.controls.note(() => this.#events.tail());
    let next = this.#firstAnswered(dispatches, completed);
    for (; next; next = this.#firstAnswered(dispatches, completed)) {
      const position = next.ring.events(next.answered);
      // Among later events may be one of a thread whose result before it was not looked at.
      if (((position - told) | 0) > 0) break;
      // Another thread's event may still be incomplete before those of this request.
      if (!this.#deliverTo(position)) break;
      this.#answer(next);
    }
    // An event that was incomplete may be complete by now, but what comes behind it belongs after results yet to be given.
    if (!next) this.#deliverTo(this.drained + Math.min(EVENTS_PER_TURN, (told - this.drained) | 0));
    for (let index = 0; index < this.vcpus.length; index++) {
      if (this.vcpus[index].sendQueued()) this.host.vcpuBells[index].ring();
    }
    return this.controls.finish(this.drained) + this.#finishRounds() > 0 || this.#handedOver !== before;
  }

  /**
   * Delivers the events before a position, and between them the results of inline accesses, which may be of
   * the same lane as what comes next. False if an event is incomplete.
   */
  #deliverTo(position: number): boolean {
    for (;;) {
      this.#answerInlineResults();
      const missing = (position - this.drained) | 0;
      if (missing <= 0) return true;
      const first = this.inlineResults.at(0);
      const step = first ? Math.min(missing, (first.behind - this.drained) | 0) : missing;
      if (this.#drain(step) < step) return false;
    }
  }

  #finishRounds(): number {
    let count = 0;
    for (; this.#isRoundDone(); count++) this.#rounds.shift()?.done();
    return count;
  }

  #isRoundDone(): boolean {
    const first = this.#rounds.at(0);
    return first !== undefined && ((this.thread.shared.load(this.map.roundsDone) - first.wanted) | 0) >= 0;
  }

  #drain(limit: number): number {
    const count = this.#events.drain(limit, (slot, event) => this.ports.deliver(slot, event));
    this.drained = (this.drained + count) | 0;
    this.#handedOver += count;
    return count;
  }

  /** Of the threads with results, the one whose next result comes first in the order of events. */
  #firstAnswered(dispatches: readonly Dispatch[], completed: readonly number[]): Dispatch | undefined {
    let first: Dispatch | undefined;
    let firstBehind = 0;
    for (let i = 0; i < dispatches.length; i++) {
      const vcpu = dispatches[i];
      if (vcpu.answered === completed[i]) continue;
      const behind = (vcpu.ring.events(vcpu.answered) - this.drained) | 0;
      if (first && behind >= firstBehind) continue;
      first = vcpu;
      firstBehind = behind;
    }
    return first;
  }

  #answer(vcpu: Dispatch): void {
    const position = vcpu.answered;
    vcpu.answered = (position + 1) | 0;
    this.#handedOver++;
    const request = vcpu.pending.shift() as Request;
    const status = vcpu.ring.status(position);
    if (status === GONE && this.hung.hold(request)) return;
    if (status === STEPPING) {
      // Behind the requests of other machines: a step holds none of them up for longer than a slice.
      const next = {
        ...request,
        operation: CONTINUE_STEP,
        address: vcpu.ring.address(position),
        low: vcpu.ring.low(position),
      };
      this.submit(Math.max(0, this.vcpus.indexOf(vcpu)), next);
      return;
    }
    request.answer(status, vcpu.ring.low(position), vcpu.ring.high(position));
  }

  #answerInlineResults(): void {
    for (let first = this.inlineResults.at(0); first; first = this.inlineResults.at(0)) {
      if (((first.behind - this.drained) | 0) > 0) return;
      this.inlineResults.shift();
      this.#handedOver++;
      first.answer();
    }
  }

  /** All that may have results to hand over. */
  get #dispatches(): readonly Dispatch[] {
    // What hangs came first: its last results go before those of its replacement.
    return this.retired.length === 0 ? this.vcpus : [...this.retired, ...this.vcpus];
  }
}
