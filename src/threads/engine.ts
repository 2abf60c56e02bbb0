import { Worker } from 'node:worker_threads';
import type { EventRing, MachineEvent } from '../events/event-ring.js';
import type { StaleUpdate } from '../locking/line-decisions.js';
import type { BqlLoadOptions } from '../machine/bql-load.js';
import { CONTROL_REMOVE, DueWork } from '../machine/due-work.js';
import { EVENT_LINE } from '../machine/events.js';
import { Machine, type MachineOptions } from '../machine/machine.js';
import { MACHINE_WORDS } from '../memory/map.js';
import { SharedMemory } from '../memory/shared-memory.js';
import { Thread } from '../sync/thread.js';
import { ThreadHost } from './host.js';
import { InlineExecution } from './inline.js';
import { type InversionReport, type LockEdge, LockView } from './lock-view.js';
import {
  FIRST_VCPU_THREAD,
  GATEWAY_THREAD,
  MAIN_LOOP_THREAD,
  machineAt,
  type SharedMap,
  sharedMap,
  submissionRingAt,
  viewBufferAt,
} from './shared-map.js';
import { StatisticsReader } from './statistics-reader.js';
import { READ, SubmissionRing, VIEW } from './submission-ring.js';
import { ThreadStatistics } from './thread-statistics.js';
import type { WorkerData } from './worker.js';

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

/** Told of a request's result: a status of `submission-ring.ts` and, of a read, the two halves of the value. */
export type Completion = (status: number, low: number, high: number) => void;

/** Records of a submission ring, and of the event ring: enough for a millisecond of the gateway being busy elsewhere. */
const SUBMISSIONS = 1024;
const EVENTS = 16384;
/** Events handed over before the gateway looks at its sockets again. */
const EVENTS_PER_TURN = 4096;
/** A wake-up that does not come within this time was lost, which is counted and must never happen. */
const WATCHDOG_MS = 1000;

interface VcpuWorker {
  readonly ring: SubmissionRing;
  /** Completions of what was submitted, oldest first. */
  readonly pending: Completion[];
  /** What waits for room in the ring. */
  readonly queue: (() => void)[];
  answered: number;
  /** The last view of this thread's buffer that was asked for: one at a time. */
  viewing: Promise<unknown>;
}

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

/** Control work that one machine waits for; the first is under way. */
interface Control {
  readonly work: number;
  readonly argument: number;
  readonly done: () => void;
}

/** Control work that is done, once the events before position `behind` are handed over. */
interface FinishedControl {
  readonly behind: number;
  readonly done: () => void;
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
  readonly #workers: Worker[] = [];
  readonly #vcpus: VcpuWorker[] = [];
  readonly #handlers = new Map<number, (event: MachineEvent) => void>();
  readonly #controls = new Map<number, Control[]>();
  #finished: FinishedControl[] = [];
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
    this.#host = new ThreadHost(this.shared, this.map);
    this.#events = this.#host.events;
    this.statistics = new StatisticsReader(this.shared, this.map);
    this.#counts = new ThreadStatistics(this.#buffer, this.map, GATEWAY_THREAD);
    const thread = new Thread(GATEWAY_THREAD, this.shared, this.#counts);
    this.machine = new Machine(new SharedMemory(this.#buffer), thread, this.#host);
    this.due = new DueWork(this.machine);
    this.lockView = new LockView(this.shared, this.map);
    this.#inline = new InlineExecution(this.machine, this.#events);
  }

  /** Starts the threads; resolves when all run. */
  async start(): Promise<void> {
    const started = [this.#startWorker(MAIN_LOOP_THREAD)];
    for (let i = 0; i < this.map.vcpuThreads; i++) {
      const ring = new SubmissionRing(this.shared, submissionRingAt(this.map, i), this.map.submissions);
      this.#vcpus.push({ ring, pending: [], queue: [], answered: 0, viewing: Promise.resolve() });
      started.push(this.#startWorker(FIRST_VCPU_THREAD + i));
    }
    await Promise.all(started);
    this.#loop = this.#run();
    // A worker is online before it has read its modules.
    const died = new Promise<never>((_, reject) => {
      this.#onDeath = reject;
    });
    await Promise.race([this.round(), died]);
  }

  #startWorker(thread: number): Promise<void> {
    const workerData: WorkerData = { buffer: this.#buffer, map: this.map, thread };
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData, execArgv: [] });
    this.#workers.push(worker);
    return new Promise((resolve, reject) => {
      let failure: unknown;
      worker.once('online', resolve);
      worker.once('error', (error) => {
        failure = error;
      });
      worker.once('exit', (code) => {
        failure ??= new Error(`thread ${thread} ended with code ${code}`);
        reject(failure);
        this.#onDeath(failure);
        if (!this.#closing) this.options.onThreadDeath?.(thread, failure);
      });
    });
  }

  /** Ends all threads. What is still unanswered stays so. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#host.gatewayBell.ring();
    await this.#loop;
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  /** Makes a machine in a slot that is free. */
  createMachine(options: MachineOptions, onEvent: (event: MachineEvent) => void): void {
    const base = machineAt(this.map, options.slot);
    const { memory } = this.machine;
    memory.select(base);
    for (let word = 0; word < MACHINE_WORDS; word++) memory.store(word, 0);
    this.#handlers.set(options.slot, onEvent);
    this.machine.create(base, options);
    if (options.load?.duty) this.due.requestRound();
  }

  /**
   * Frees a slot: resolves when the main loop has let go of the machine and all it told is handed over. The caller made
   * sure that no request to it is under way.
   */
  async removeMachine(slot: number): Promise<void> {
    await this.control(slot, CONTROL_REMOVE);
    this.#handlers.delete(slot);
    this.#controls.delete(slot);
  }

  /**
   * Submits a request, to be answered by a vCPU thread or, if `lane` is given, nothing of it is under way and the
   * access cannot block, at once. Requests of one thread, and those of one lane, are answered in order.
   */
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
      if (lane.underWay === 1 && this.options.execution === 'auto') {
        const status = this.#inline.run(operation, size, base, address, low, high);
        if (status !== undefined) {
          this.#answerInline(status, operation === READ, answer);
          return;
        }
      }
    }
    const vcpu = this.#vcpus[vcpuThread];
    const send = () => {
      vcpu.pending.push(answer);
      vcpu.ring.submit(operation, size, base, address, low, high);
      this.#host.vcpuBells[vcpuThread].ring();
    };
    if (vcpu.queue.length === 0 && vcpu.ring.hasRoom(vcpu.pending.length)) send();
    else vcpu.queue.push(send);
  }

  /** Answers what was carried out here, after the events that it caused. */
  #answerInline(status: number, isRead: boolean, answer: Completion): void {
    const { lo, hi } = this.machine.value;
    const behind = this.#events.tail();
    const done = () => (isRead ? answer(status, lo, hi) : answer(status, 0, 0));
    const missing = (behind - this.#drained) | 0;
    if (this.#inlineResults.length > 0 || (this.#events.emitted && missing > 0 && this.#drain(missing) < missing)) {
      this.#inlineResults.push({ behind, answer: done });
      this.#host.gatewayBell.ring();
    } else {
      done();
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
    return new Promise((done) => {
      const queue = this.#controls.get(slot) ?? [];
      this.#controls.set(slot, queue);
      queue.push({ work, argument, done });
      if (queue.length === 1) this.#requestControl(slot, queue[0]);
    });
  }

  #requestControl(slot: number, control: Control): void {
    this.machine.select(machineAt(this.map, slot));
    this.due.requestControl(control.work, control.argument);
  }

  /**
   * Copies the state of part of a machine (`machine/view.ts`) without changing anything that a guest sees. `read` is
   * called with the absolute word address of the copy, which is valid until it returns, and the virtual time in ns.
   */
  view<T>(vcpuThread: number, slot: number, what: number, read: (copy: number, virtualTime: number) => T): Promise<T> {
    const vcpu = this.#vcpus[vcpuThread];
    const view = vcpu.viewing.then(
      () =>
        new Promise<T>((resolve, reject) =>
          this.submit(vcpuThread, slot, VIEW, 0, what, 0, 0, (_status, low, high) => {
            try {
              resolve(read(viewBufferAt(this.map, vcpuThread), high * 2 ** 32 + low));
            } catch (error) {
              reject(error);
            }
          }),
        ),
    );
    vcpu.viewing = view.catch(() => {});
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
      this.#vcpus.some((vcpu) => vcpu.ring.completed() !== vcpu.answered) ||
      this.#finished.length > 0 ||
      this.#inlineResults.length > 0 ||
      this.#isRoundDone() ||
      this.#hasFinishedControl()
    );
  }

  /** Hands over events and results in the order in which they came about; returns whether there was anything. */
  turn(): boolean {
    // In this order: what was told by then belongs to requests that are answered in this turn, or later.
    const told = this.#events.tail();
    const completed = this.#vcpus.map((vcpu) => vcpu.ring.completed());
    this.#takeFinishedControls();
    let answered = 0;
    for (;;) {
      const next = this.#firstAnswered(completed);
      if (!next) break;
      const behind = (next.ring.events(next.answered) - this.#drained) | 0;
      // Another thread's event may still be incomplete before those of this request.
      if (behind > 0 && this.#drain(behind) < behind) break;
      this.#answer(next);
      answered++;
    }
    const count = this.#drain(Math.min(EVENTS_PER_TURN, (told - this.#drained) | 0));
    for (const vcpu of this.#vcpus) {
      while (vcpu.queue.length && vcpu.ring.hasRoom(vcpu.pending.length)) vcpu.queue.shift()?.();
    }
    answered += this.#answerInlineResults();
    return this.#finishControls() + this.#finishRounds() + count + answered > 0;
  }

  /** Notes which control work is done, and lets the machine's next begin. */
  #takeFinishedControls(): void {
    for (const [slot, queue] of this.#controls) {
      this.machine.select(machineAt(this.map, slot));
      if (!this.due.control.takeDone()) continue;
      const { done } = queue.shift() as Control;
      // Read after the work was seen to be done: behind everything that it told.
      this.#finished.push({ behind: this.#events.tail(), done });
      if (queue.length > 0) this.#requestControl(slot, queue[0]);
      else this.#controls.delete(slot);
    }
  }

  #finishControls(): number {
    const ready = this.#finished.filter(({ behind }) => ((behind - this.#drained) | 0) <= 0);
    if (ready.length === 0) return 0;
    this.#finished = this.#finished.filter((control) => !ready.includes(control));
    for (const { done } of ready) done();
    return ready.length;
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
  #firstAnswered(completed: number[]): VcpuWorker | undefined {
    let first: VcpuWorker | undefined;
    let firstBehind = 0;
    for (let i = 0; i < this.#vcpus.length; i++) {
      const vcpu = this.#vcpus[i];
      if (vcpu.answered === completed[i]) continue;
      const behind = (vcpu.ring.events(vcpu.answered) - this.#drained) | 0;
      if (first && behind >= firstBehind) continue;
      first = vcpu;
      firstBehind = behind;
    }
    return first;
  }

  #answer(vcpu: VcpuWorker): void {
    const position = vcpu.answered;
    vcpu.answered = (position + 1) | 0;
    const completion = vcpu.pending.shift() as Completion;
    completion(vcpu.ring.status(position), vcpu.ring.low(position), vcpu.ring.high(position));
  }

  #hasFinishedControl(): boolean {
    for (const slot of this.#controls.keys()) {
      this.machine.select(machineAt(this.map, slot));
      if (this.due.control.isDone) return true;
    }
    return false;
  }
}
