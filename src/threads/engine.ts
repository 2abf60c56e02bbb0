import type { AssertionFailures, XenOptions } from '../devices/gsi/xen-filter.js';
import type { EventRing, MachineEvent } from '../events/event-ring.js';
import type { StaleUpdate } from '../locking/line-decisions.js';
import type { BqlLoadOptions } from '../machine/bql-load.js';
import { CONTROL_REMOVE, DueWork } from '../machine/due-work.js';
import { EVENT_LINE } from '../machine/events.js';
import { Machine, type MachineOptions } from '../machine/machine.js';
import { MACHINE_WORDS } from '../memory/map.js';
import { SharedMemory } from '../memory/shared-memory.js';
import { Thread } from '../sync/thread.js';
import { WaitGraph } from '../sync/wait-graph.js';
import { ControlQueue } from './control-queue.js';
import { type Completion, Dispatch, type Request } from './dispatch.js';
import { ThreadHost } from './host.js';
import { HungMachines } from './hung-machines.js';
import { InlineExecution } from './inline.js';
import { type InversionReport, type LockEdge, LockView } from './lock-view.js';
import { Pool } from './pool.js';
import {
  FIRST_VCPU_THREAD,
  GATEWAY_THREAD,
  machineAt,
  type SharedMap,
  SPARE_RINGS,
  sharedMap,
  submissionRingAt,
  viewBufferAt,
} from './shared-map.js';
import { StatisticsReader } from './statistics-reader.js';
import { GONE, NOTHING, SubmissionRing, VIEW } from './submission-ring.js';
import { ThreadStatistics } from './thread-statistics.js';

export interface EngineOptions {
  readonly vcpuThreads: number;
  readonly machines: number;
  /** 1 if not given. */
  readonly statisticsSlots?: number;
  /** `auto`: an access that cannot block runs where it is submitted. `threads`, the default: all run on vCPU threads. */
  readonly execution?: 'auto' | 'threads';
  /** Told of a thread that ended by itself. */
  readonly onThreadDeath?: (thread: number, reason: unknown) => void;
}

/** Records of a submission ring, and of the event ring: enough for a millisecond of the gateway being busy elsewhere. */
const SUBMISSIONS = 1024;
const EVENTS = 16384;
/** Events handed over before the gateway looks at its sockets again. */
const EVENTS_PER_TURN = 4096;
/** A wake-up that does not come within this time was lost, which is counted and must never happen. */
const WATCHDOG_MS = 1000;

/** Whose requests are carried out in order, such as those of one vCPU. */
export interface Lane {
  /** Requests that are not answered yet. */
  underWay: number;
}

/** A request that was carried out here, and is answered once the events before position `behind` are handed over. */
interface InlineResult {
  readonly behind: number;
  readonly answer: () => void;
}

/**
 * The gateway's side of the threads: starts them, submits requests, and hands over events and results in an order in
 * which every event comes before the result of the request that caused it. It never waits for a lock.
 */
export class Engine {
  readonly map: SharedMap;
  readonly shared: SharedMemory;
  /** For making machines, and for reading what needs no lock. */
  readonly machine: Machine;
  readonly due: DueWork;
  readonly statistics: StatisticsReader;
  readonly lockView: LockView;
  missedWakeups = 0;

  readonly #buffer: SharedArrayBuffer;
  readonly #counts: ThreadStatistics;
  readonly #host: ThreadHost;
  readonly #events: EventRing;
  readonly #pool: Pool;
  /** The vCPU threads, by index; then those that hang and still have results to hand over. */
  readonly #vcpus: Dispatch[] = [];
  #retired: Dispatch[] = [];
  readonly #spareRings: number[];
  /** The last view that was asked of each vCPU thread: one at a time. */
  readonly #viewing: Promise<unknown>[] = [];
  /** The last hand-over of a machine's state: one at a time. */
  #transferring: Promise<unknown> = Promise.resolve();
  readonly #hung: HungMachines;
  readonly #handlers = new Map<number, (event: MachineEvent) => void>();
  readonly #controls: ControlQueue;
  readonly #inlineResults: InlineResult[] = [];
  readonly #inline: InlineExecution;
  readonly #rounds: { wanted: number; resolve: () => void }[] = [];
  #drained = 0;
  #closing = false;
  #onDeath: (reason: unknown) => void = () => {};
  #loop: Promise<void> = Promise.resolve();

  constructor(readonly options: EngineOptions) {
    const { machines, vcpuThreads, statisticsSlots = 1 } = options;
    this.map = sharedMap({ machines, vcpuThreads, submissions: SUBMISSIONS, events: EVENTS, statisticsSlots });
    this.#buffer = new SharedArrayBuffer(this.map.words * 4);
    this.shared = new SharedMemory(this.#buffer);
    this.#host = new ThreadHost(this.shared, this.map, false);
    this.#events = this.#host.events;
    this.statistics = new StatisticsReader(this.shared, this.map);
    this.#counts = new ThreadStatistics(this.#buffer, this.map, GATEWAY_THREAD);
    const thread = new Thread(GATEWAY_THREAD, this.shared, this.#counts);
    this.machine = new Machine(new SharedMemory(this.#buffer), thread, this.#host);
    this.due = new DueWork(this.machine);
    this.lockView = new LockView(this.shared, this.map);
    this.#inline = new InlineExecution(this.machine, this.#events);
    this.#controls = new ControlQueue((slot) => this.#dueWorkOf(slot));
    this.#hung = new HungMachines(this.lockView, {
      exists: (slot) => this.#handlers.has(slot),
      freeze: (slot) => this.#dueWorkOf(slot).freeze(),
      replace: (stuck) => this.#replace(stuck),
    });
    this.#spareRings = Array.from({ length: SPARE_RINGS }, (_, spare) => vcpuThreads + spare);
    this.#pool = new Pool(this.#buffer, this.map, (died, reason) => {
      this.#onDeath(reason);
      options.onThreadDeath?.(died, reason);
    });
  }

  /** Starts the threads; resolves when all run. */
  async start(): Promise<void> {
    const started = [this.#pool.startMainLoop()];
    for (let index = 0; index < this.map.vcpuThreads; index++) {
      this.#vcpus.push(this.#dispatch(FIRST_VCPU_THREAD + index, index));
      this.#viewing.push(Promise.resolve());
      started.push(this.#pool.startVcpu(index));
    }
    await Promise.all(started);
    this.#loop = this.#run();
    // A worker is online before it has read its modules.
    const died = new Promise<never>((_, reject) => {
      this.#onDeath = reject;
    });
    await Promise.race([this.round(), died]);
  }

  #dispatch(thread: number, ring: number): Dispatch {
    return new Dispatch(
      thread,
      ring,
      new SubmissionRing(this.shared, submissionRingAt(this.map, ring), this.map.submissions),
    );
  }

  /** Ends all threads. What is still unanswered stays so. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#host.gatewayBell.ring();
    await this.#loop;
    await this.#pool.close();
  }

  /** Makes a machine in a slot that is free. */
  createMachine(options: MachineOptions, onEvent: (event: MachineEvent) => void): void {
    const base = machineAt(this.map, options.slot);
    const { memory } = this.machine;
    memory.select(base);
    for (let word = 0; word < MACHINE_WORDS; word++) memory.store(word, 0);
    this.#handlers.set(options.slot, onEvent);
    this.lockView.begin(options.slot);
    this.machine.create(base, options);
    if (options.load?.duty) this.due.requestRound();
  }

  /**
   * Frees a slot: resolves when the main loop has let go of the machine and all it told is handed over. The caller made
   * sure that no request to it is under way.
   */
  async removeMachine(slot: number): Promise<void> {
    if (this.#hung.has(slot)) await this.#removeHung(slot);
    else await this.control(slot, CONTROL_REMOVE);
    this.#handlers.delete(slot);
    this.#controls.abandon(slot);
    this.#hung.forgetWaiting(slot);
  }

  #dueWorkOf(slot: number): DueWork {
    this.machine.select(machineAt(this.map, slot));
    return this.due;
  }

  // Threads that hang

  /** Resolves when threads have come to hang in a machine. */
  hang(slot: number): Promise<void> {
    return this.#hung.whenHung(slot);
  }

  /** Whether threads hang for ever in a machine: `onDeadlock: hang`. */
  isHung(slot: number): boolean {
    return this.#hung.has(slot);
  }

  #replace(stuck: number): { ring?: number } | undefined {
    if (this.#closing) return undefined;
    const index = this.#vcpus.findIndex((vcpu) => vcpu.thread === stuck);
    return index >= 0 ? this.#replaceVcpu(index) : this.#replaceMainLoop();
  }

  #replaceMainLoop(): object | undefined {
    if (this.#pool.startReplacement({ kind: 'main-loop' }) === undefined) return undefined;
    // It knows of no deadline yet.
    for (const slot of this.#handlers.keys()) this.#host.kickMainLoop(slot);
    this.#host.mainLoopBell.ring();
    return {};
  }

  #replaceVcpu(index: number): { ring: number } | undefined {
    const ring = this.#spareRings.at(-1);
    if (ring === undefined) return undefined;
    new SubmissionRing(this.shared, submissionRingAt(this.map, ring), this.map.submissions).reset();
    const thread = this.#pool.startReplacement({ kind: 'vcpu', index, ring });
    if (thread === undefined) return undefined;
    this.#spareRings.pop();
    const old = this.#vcpus[index];
    const unanswered = old.abandon();
    this.#vcpus[index] = this.#dispatch(thread, ring);
    this.#retired.push(old);
    for (const request of unanswered) this.#send(index, request);
    // It may have taken notice of callbacks that it did not come to.
    for (const slot of this.#handlers.keys()) {
      if (slot % this.map.vcpuThreads === index) this.#host.kickVcpu(slot);
    }
    return { ring: old.ringIndex };
  }

  /** Ends the threads that hang in a machine, and answers what they left. Nobody else is in there any more. */
  async #removeHung(slot: number): Promise<void> {
    const hung = this.#hung.take(slot);
    if (!hung) return;
    await Promise.all([...hung.threads].map((thread) => this.#pool.end(thread)));
    for (const thread of hung.threads) new WaitGraph(this.shared, thread).withdraw();
    // Whoever had entered before it was frozen has left when its thread answers.
    const nothing = (index: number) =>
      new Promise<void>((resolve) => this.submit(index, slot, NOTHING, 0, 0, 0, 0, () => resolve()));
    await Promise.all([this.round(), ...this.#vcpus.map((_, index) => nothing(index))]);
    this.#retired = this.#retired.filter(({ ringIndex }) => !hung.rings.includes(ringIndex));
    this.#spareRings.push(...hung.rings);
    for (const request of hung.held) request.answer(GONE, 0, 0);
  }

  /** Submits a request to a vCPU thread. Requests of one thread are answered in order. */
  submit(
    vcpuThread: number,
    slot: number,
    operation: number,
    size: number,
    address: number,
    low: number,
    high: number,
    completion: Completion,
    lane?: Lane,
  ): void {
    const base = machineAt(this.map, slot);
    let answer = completion;
    if (lane) {
      answer = (status, lowRead, highRead) => {
        lane.underWay--;
        completion(status, lowRead, highRead);
      };
      lane.underWay++;
    }
    this.#send(vcpuThread, { slot, operation, size, base, address, low, high, answer });
  }

  #send(index: number, request: Request): void {
    if (this.#hung.hold(request)) return;
    if (this.#vcpus[index].send(request)) this.#host.vcpuBells[index].ring();
  }

  /**
   * Carries an access out here and now, if nothing of its lane is under way and it cannot block: its status, or undefined
   * if nothing was done. What a read gave is in `machine.value`. The answer has to go through `afterEvents`.
   */
  runInline(
    slot: number,
    operation: number,
    size: number,
    address: number,
    low: number,
    high: number,
    lane: Lane,
  ): number | undefined {
    if (lane.underWay > 0 || this.options.execution !== 'auto') return undefined;
    return this.#inline.run(operation, size, machineAt(this.map, slot), address, low, high);
  }

  /** Calls back once the events of what was carried out here are handed over: at once, unless one is incomplete. */
  afterEvents(answer: () => void): void {
    const behind = this.#events.tail();
    const missing = (behind - this.#drained) | 0;
    if (this.#inlineResults.length > 0 || (this.#events.emitted && missing > 0 && this.#drain(missing) < missing)) {
      this.#inlineResults.push({ behind, answer });
      this.#host.gatewayBell.ring();
    } else {
      answer();
    }
    this.#events.emitted = false;
  }

  #answerInlineResults(): number {
    let count = 0;
    for (let first = this.#inlineResults[0]; first; first = this.#inlineResults[0]) {
      if (((first.behind - this.#drained) | 0) > 0) break;
      this.#inlineResults.shift();
      first.answer();
      count++;
    }
    return count;
  }

  /** Asks the main loop for control work. Resolves when it is done and all events that it caused are handed over. */
  control(slot: number, work: number, argument = 0): Promise<void> {
    return this.#controls.request(slot, work, argument);
  }

  /**
   * Control work that hands the state of a machine over in shared memory, for one machine at a time: `before` may write
   * it there and `after` read it, at this absolute word address (`machine/saved-state.ts`; the time lies in its first
   * two words). The caller keeps everyone out of the machine meanwhile.
   */
  transfer<T>(slot: number, work: number, argument: number, before: (at: number) => void, after: (at: number) => T) {
    const transfer = this.#transferring.then(async () => {
      before(this.map.transfer);
      await this.control(slot, work, argument);
      return after(this.map.transfer);
    });
    this.#transferring = transfer.catch(() => {});
    return transfer;
  }

  /**
   * Copies the state of part of a machine (`machine/view.ts`) without changing anything that a guest sees. `read` is
   * called with the absolute word address of the copy, which is valid until it returns, and the virtual time in ns.
   * Undefined if threads hang in the machine.
   */
  view<T>(
    vcpuThread: number,
    slot: number,
    what: number,
    read: (copy: number, virtualTime: number) => T,
  ): Promise<T | undefined> {
    const view = this.#viewing[vcpuThread].then(
      () =>
        new Promise<T | undefined>((resolve, reject) =>
          this.submit(vcpuThread, slot, VIEW, 0, what, 0, 0, (status, low, high) => {
            try {
              resolve(status === GONE ? undefined : read(viewBufferAt(this.map, vcpuThread), high * 2 ** 32 + low));
            } catch (error) {
              reject(error);
            }
          }),
        ),
    );
    this.#viewing[vcpuThread] = view.catch(() => {});
    return view;
  }

  /** Virtual time of a machine, which needs no lock. */
  virtualTime(slot: number): number {
    this.machine.select(machineAt(this.map, slot));
    return this.machine.clock.now();
  }

  /** Resolves when the main loop has come round once more. */
  round(): Promise<void> {
    return new Promise((resolve) => {
      const wanted = (this.shared.add(this.map.roundsWanted, 1) + 1) | 0;
      this.#rounds.push({ wanted, resolve });
      this.#host.mainLoopBell.ring();
    });
  }

  /** Orders in which locks were taken, and which of them could deadlock. */
  lockOrder(slot: number): { edges: LockEdge[]; inversions: InversionReport[] } {
    this.machine.select(machineAt(this.map, slot));
    const { memory } = this.machine;
    return { edges: this.lockView.order(memory), inversions: this.lockView.inversions(slot, memory) };
  }

  /** Deferred line changes so far, and the last that were stale when they were applied. */
  deferred(slot: number): { total: number; late: number; inverted: number; stale: StaleUpdate[] } {
    this.machine.select(machineAt(this.map, slot));
    const { decisions } = this.machine;
    return { ...decisions.counts(), stale: decisions.staleUpdates() };
  }

  /** The machine's Xen filter, with the assertions of it that failed. */
  xen(slot: number): (XenOptions & { failures: AssertionFailures | undefined }) | undefined {
    this.machine.select(machineAt(this.map, slot));
    const { xen } = this.machine;
    return xen.options && { ...xen.options, failures: xen.failures() };
  }

  /** Changes the background work of the main loop under the BQL. */
  loadBql(slot: number, load: BqlLoadOptions): void {
    this.machine.select(machineAt(this.map, slot));
    this.due.load.configure(load);
    this.due.requestRound();
  }

  async #run(): Promise<void> {
    const bell = this.#host.gatewayBell;
    while (!this.#closing) {
      if (this.turn() || this.#hasWork()) {
        await new Promise(setImmediate);
        continue;
      }
      const rings = bell.prepareToSleep();
      if (!this.#hasWork() && !this.#closing) await this.#sleep(rings);
      bell.wake();
    }
  }

  /** Sleeps until the bell rings. The promise of waitAsync keeps no process alive; the timer does. */
  async #sleep(rings: number): Promise<void> {
    const woken = this.shared.waitAsync(this.#host.gatewayBell.rings, rings);
    if (!woken) return;
    let awake = false;
    const watchdog = setInterval(() => {
      if (awake || this.shared.load(this.#host.gatewayBell.rings) === rings) return;
      this.missedWakeups++;
      this.shared.notify(this.#host.gatewayBell.rings, 1);
    }, WATCHDOG_MS);
    await woken;
    awake = true;
    clearInterval(watchdog);
  }

  #hasWork(): boolean {
    return (
      this.#events.hasEvents() ||
      this.#dispatches.some((vcpu) => vcpu.ring.completed() !== vcpu.answered) ||
      this.#inlineResults.length > 0 ||
      this.#isRoundDone() ||
      this.#hung.hasNews ||
      this.#controls.hasWork
    );
  }

  /** Hands over events and results in the order in which they came about; returns whether there was anything. */
  turn(): boolean {
    // In this order: what was told by then belongs to requests that are answered in this turn, or later.
    const told = this.#events.tail();
    this.#hung.note();
    const dispatches = this.#dispatches;
    const completed = dispatches.map((vcpu) => vcpu.ring.completed());
    this.#controls.note(() => this.#events.tail());
    let answered = 0;
    let next = this.#firstAnswered(dispatches, completed);
    for (; next; next = this.#firstAnswered(dispatches, completed)) {
      const position = next.ring.events(next.answered);
      // Among later events may be one of a thread whose result before it was not looked at.
      if (((position - told) | 0) > 0) break;
      const behind = (position - this.#drained) | 0;
      // Another thread's event may still be incomplete before those of this request.
      if (behind > 0 && this.#drain(behind) < behind) break;
      // What was carried out here before may be of the same lane.
      answered += this.#answerInlineResults();
      this.#answer(next);
      answered++;
    }
    // An event that was incomplete may be complete by now, but what comes behind it belongs after results yet to be given.
    const count = next ? 0 : this.#drain(Math.min(EVENTS_PER_TURN, (told - this.#drained) | 0));
    for (let index = 0; index < this.#vcpus.length; index++) {
      if (this.#vcpus[index].sendQueued()) this.#host.vcpuBells[index].ring();
    }
    answered += this.#answerInlineResults();
    return this.#controls.finish(this.#drained) + this.#finishRounds() + count + answered > 0;
  }

  #finishRounds(): number {
    let count = 0;
    for (; this.#isRoundDone(); count++) this.#rounds.shift()?.resolve();
    return count;
  }

  #isRoundDone(): boolean {
    const first = this.#rounds.at(0);
    return first !== undefined && ((this.shared.load(this.map.roundsDone) - first.wanted) | 0) >= 0;
  }

  #drain(limit: number): number {
    const count = this.#events.drain(limit, (slot, event) => this.#handOver(slot, event));
    this.#drained = (this.#drained + count) | 0;
    return count;
  }

  #handOver(slot: number, event: MachineEvent): void {
    const handler = this.#handlers.get(slot);
    if (!handler) return;
    // Noted before: what the handler does may use the event again.
    const { kind, virtualTime } = event;
    handler(event);
    if (kind === EVENT_LINE) return;
    this.#counts.select(machineAt(this.map, slot));
    this.#counts.delivered(virtualTime);
  }

  /** Of the threads with results, the one whose next result comes first in the order of events. */
  #firstAnswered(dispatches: readonly Dispatch[], completed: readonly number[]): Dispatch | undefined {
    let first: Dispatch | undefined;
    let firstBehind = 0;
    for (let i = 0; i < dispatches.length; i++) {
      const vcpu = dispatches[i];
      if (vcpu.answered === completed[i]) continue;
      const behind = (vcpu.ring.events(vcpu.answered) - this.#drained) | 0;
      if (first && behind >= firstBehind) continue;
      first = vcpu;
      firstBehind = behind;
    }
    return first;
  }

  #answer(vcpu: Dispatch): void {
    const position = vcpu.answered;
    vcpu.answered = (position + 1) | 0;
    const request = vcpu.pending.shift() as Request;
    const status = vcpu.ring.status(position);
    if (status === GONE && this.#hung.hold(request)) return;
    request.answer(status, vcpu.ring.low(position), vcpu.ring.high(position));
  }

  /** All that may have results to hand over. */
  get #dispatches(): readonly Dispatch[] {
    // What hangs came first: its last results go before those of its replacement.
    return this.#retired.length === 0 ? this.#vcpus : [...this.#retired, ...this.#vcpus];
  }
}
