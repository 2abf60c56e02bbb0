import type { DueWork } from '../../core/machine/due-work.js';
import { Machine } from '../../core/machine/machine.js';
import type { Memory } from '../../core/memory/memory.js';
import type { Thread } from '../../core/sync/thread.js';
import type { EventRing, MachineEvent } from '../events/event-ring.js';
import { machineAt, type SharedMap, submissionRingAt } from '../memory/shared-map.js';
import { ControlQueue } from '../rings/control-queue.js';
import { MachineRequests, NONE, Request } from '../rings/requests.js';
import { CONTINUE_STEP, GONE, NOTHING, OK, READ, STEP, STEPPING, SubmissionRing } from '../rings/submission-ring.js';
import { LockView } from '../statistics/lock-view.js';
import { Dispatch } from './dispatch.js';
import { ThreadHost } from './host.js';
import { InlineExecution } from './inline.js';
import { MachineStates, type SupervisedMachine } from './machine-states.js';

/** Events delivered before the gateway returns to its sockets: each may go to hundreds of subscribers. */
const EVENTS_PER_TURN = 64;

export interface GatewayOptions {
  /** `auto`: an access that cannot block runs where it is submitted. `threads`, the default: all run on vCPU threads. */
  readonly execution?: 'auto' | 'threads' | undefined;
}

/** What the gateway cannot do by itself. */
export interface GatewayPorts {
  /** Takes an event of the machine in a slot. The event object is used again. */
  deliver(slot: number, event: MachineEvent): void;
  /** Called for a machine in which threads have come to hang. */
  hang(machine: SupervisedMachine): void;
}

/** A request that ran inline, and is answered once the events before position `behind` are delivered. */
interface InlineResult {
  readonly behind: number;
  readonly request: Request;
}

interface Round {
  readonly wanted: number;
  readonly done: () => void;
}

/**
 * The gateway's work between two polls of its sockets: it submits requests, and delivers events and results in an order
 * in which every event comes before the result of the request that caused it. It never waits and has no event loop: the
 * engine runs it on Node's, exploration on its own.
 */
export class Gateway {
  /** For making machines, for reading what needs no lock, and for inline execution. */
  readonly machine: Machine;
  readonly due: DueWork;
  readonly host: ThreadHost;
  readonly lockView: LockView;
  readonly states: MachineStates;
  readonly controls: ControlQueue;
  /** The vCPU threads, by index. */
  readonly vcpus: Dispatch[] = [];
  /** Those that hang and still have results to deliver. */
  retired: Dispatch[] = [];
  readonly inlineResults: InlineResult[] = [];
  /** Position of the event ring up to which events are delivered. */
  drained = 0;
  /** Events and results, counted. */
  #delivered = 0;

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
    this.states = new MachineStates(this.lockView, (machine) => ports.hang(machine));
  }

  /** Events in the ring that are not delivered yet. */
  get waitingEvents(): number {
    return (this.#events.tail() - this.drained) | 0;
  }

  /** The gateway's side of the vCPU thread number `index`, with one of the rings. */
  dispatch(thread: number, ring: number, index: number): Dispatch {
    return new Dispatch(thread, ring, this.submissionRing(ring), index, this.host.shares, this.map);
  }

  submissionRing(ring: number): SubmissionRing {
    return new SubmissionRing(this.thread.shared, submissionRingAt(this.map, ring), this.map.submissions);
  }

  dueWorkOf(slot: number): DueWork {
    this.machine.select(machineAt(this.map, slot));
    return this.due;
  }

  // Requests

  /** The record of the requests to the machine in a slot. */
  newRecord(slot: number): MachineRequests {
    const record = new MachineRequests({
      isFrozen: () => this.states.get(slot)?.state === 'frozen',
      perform: (request) => this.#perform(record, request),
      submit: (request) => this.submit(request.vcpu % this.map.vcpuThreads, request),
    });
    return record;
  }

  /**
   * Executes a request inline if no request of its vCPU is on a thread and it cannot block. Otherwise it goes to its
   * vCPU thread. It is answered behind the events that it caused.
   */
  #perform(record: MachineRequests, request: Request): void {
    const { operation } = request;
    const status = this.inlineFor(request.slot, record, request.vcpu)?.run(operation, request);
    if (status === undefined) {
      record.dispatch(request);
      return;
    }
    const { value } = this.machine;
    request.status = status;
    request.low = operation === READ ? value.lo : 0;
    request.high = operation === READ ? value.hi : 0;
    this.finishBehindEvents(request);
  }

  /** Submits a request to a vCPU thread. Requests of one thread are answered in order. */
  submit(vcpuThread: number, request: Request): void {
    if (this.states.refuse(request)) return;
    if (this.vcpus[vcpuThread].send(request)) this.host.vcpuBells[vcpuThread].ring();
  }

  /**
   * Executes accesses of a vCPU inline, if none of its requests is on a thread. The machine of the slot stays selected
   * until the next call of the gateway. Answers have to go through `finishBehindEvents`.
   */
  inlineFor(slot: number, record: MachineRequests, vcpu: number): InlineExecution | undefined {
    if (this.options.execution !== 'auto' || record.onThread(vcpu) > 0 || !this.host.mayAct) return undefined;
    return this.#inline.select(machineAt(this.map, slot));
  }

  /**
   * Finishes a request that was executed inline, once its events are delivered: at once, unless an event before them is
   * incomplete, or belongs behind a result of a vCPU thread that is not delivered yet.
   */
  finishBehindEvents(request: Request): void {
    // In this order: an event before the tail has before it the results that came before it.
    const behind = this.#events.tail();
    const missing = (behind - this.drained) | 0;
    if (this.inlineResults.length > 0 || (this.#events.emitted && missing > 0 && !this.#canDeliver(missing))) {
      this.inlineResults.push({ behind, request });
      this.host.gatewayBell.ring();
      this.#events.emitted = false;
      return;
    }
    request.finish();
    this.#events.emitted = false;
  }

  #canDeliver(events: number): boolean {
    return this.#dispatches.every((vcpu) => vcpu.isDrained) && this.#drain(events) === events;
  }

  /** Resolves when every vCPU thread has completed its requests so far, or another has taken its place. */
  async barrier(): Promise<void> {
    const passed = this.vcpus.map(
      (_, index) =>
        new Promise<void>((done) => {
          // Of no machine: no state of a machine refuses it.
          this.submit(index, new Request(NONE, NONE, NOTHING, 0, 0, 0, 0, () => done()));
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
      this.states.hasNews ||
      this.controls.hasWork
    );
  }

  /** Delivers events and results in the order in which they arose; returns whether there was anything. */
  turn(): boolean {
    const before = this.#delivered;
    // Reads the end first: events before it belong to requests that this turn answers, or a later one.
    const end = this.#events.tail();
    this.states.note();
    const dispatches = this.#dispatches;
    const completed = dispatches.map((vcpu) => vcpu.ring.completed());
    this.controls.note(() => this.#events.tail());
    let next = this.#firstAnswered(dispatches, completed);
    for (; next; next = this.#firstAnswered(dispatches, completed)) {
      const position = next.ring.events(next.answered);
      // Among later events may be one of a thread whose result before it was not looked at.
      if (((position - end) | 0) > 0) break;
      // Another thread's event may still be incomplete before those of this request.
      if (!this.#deliverTo(position)) break;
      this.#answer(next);
    }
    // An event that was incomplete may be complete by now, but what comes behind it belongs after results yet to be given.
    if (!next) this.#deliverTo(this.drained + Math.min(EVENTS_PER_TURN, (end - this.drained) | 0));
    for (let index = 0; index < this.vcpus.length; index++) {
      const vcpu = this.vcpus[index];
      if (vcpu.held.size > 0) for (const request of vcpu.release(this.#hasRoom)) this.submit(index, request);
      if (vcpu.sendQueued()) this.host.vcpuBells[index].ring();
    }
    return this.controls.finish(this.drained) + this.#finishRounds() > 0 || this.#delivered !== before;
  }

  /**
   * Delivers the events before a position, and between them the results of inline accesses, which may be of the same
   * vCPU as the next result. False if an event is incomplete.
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
    this.#delivered += count;
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
    this.#delivered++;
    const request = vcpu.pending.shift() as Request;
    const status = vcpu.ring.status(position);
    if (status === GONE && this.states.refuse(request)) return;
    if (vcpu.takeBack(request, position)) return;
    if (status === STEPPING) {
      // Behind the requests of other machines: a step holds none of them up for longer than a slice.
      this.submit(Math.max(0, this.vcpus.indexOf(vcpu)), this.#continuation(request, vcpu, position));
      return;
    }
    const isStep = request.operation === STEP || request.operation === CONTINUE_STEP;
    if (isStep && status === OK) request.address = vcpu.ring.address(position);
    request.answer(status, vcpu.ring.low(position), vcpu.ring.high(position));
  }

  /** The rest of a step. Its result becomes that of the step. */
  #continuation(step: Request, { ring }: Dispatch, position: number): Request {
    return new Request(step.slot, NONE, CONTINUE_STEP, 0, ring.address(position), ring.low(position), 0, (rest) => {
      if (rest.status === OK) step.address = rest.address;
      step.answer(rest.status, rest.low, rest.high);
    });
  }

  #answerInlineResults(): void {
    for (let first = this.inlineResults.at(0); first; first = this.inlineResults.at(0)) {
      if (((first.behind - this.drained) | 0) > 0) return;
      this.inlineResults.shift();
      this.#delivered++;
      first.request.finish();
    }
  }

  /** Whether requests of a machine may leave a vCPU thread's hold. */
  readonly #hasRoom = (slot: number): boolean =>
    this.states.get(slot)?.state !== 'running' || this.#events.hasRoom(slot);

  /** All that may have results to deliver. */
  get #dispatches(): readonly Dispatch[] {
    // What hangs came first: its last results go before those of its replacement.
    return this.retired.length === 0 ? this.vcpus : [...this.retired, ...this.vcpus];
  }
}
