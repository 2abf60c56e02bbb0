import type { AssertionFailures, XenOptions } from '../../core/devices/gsi/xen-filter.js';
import type { StaleUpdate } from '../../core/locking/line-decisions.js';
import type { BqlLoadOptions } from '../../core/machine/bql-load.js';
import { CONTROL_REMOVE } from '../../core/machine/control-path.js';
import type { DueWork } from '../../core/machine/due-work.js';
import { EVENT_LINE } from '../../core/machine/events.js';
import type { Machine, MachineOptions } from '../../core/machine/machine.js';
import { MACHINE_WORDS } from '../../core/memory/map.js';
import { SharedMemory } from '../../core/memory/shared-memory.js';
import { Thread } from '../../core/sync/thread.js';
import { LARGEST_BURST, type MachineEvent } from '../events/event-ring.js';
import type { Completion, Lane } from '../rings/dispatch.js';
import { GONE, VIEW } from '../rings/submission-ring.js';
import type { InversionReport, LockEdge, LockView } from '../statistics/lock-view.js';
import { StatisticsReader } from '../statistics/statistics-reader.js';
import { ThreadStatistics } from '../statistics/thread-statistics.js';
import { Pool } from '../supervisor/pool.js';
import { Replacements } from '../supervisor/replacements.js';
import { TraceView } from '../trace/trace-view.js';
import { Gateway, type GatewayPorts } from './gateway.js';
import { FIRST_VCPU_THREAD, GATEWAY_THREAD, machineAt, type SharedMap, sharedMap, viewBufferAt } from './shared-map.js';

export interface EngineOptions {
  readonly vcpuThreads: number;
  readonly machines: number;
  /** 1 if not given. */
  readonly statisticsSlots?: number;
  /** Records of each thread's trace; 0 if not given, and then nothing can be traced. */
  readonly traceRecords?: number;
  /** `auto`: an access that cannot block runs where it is submitted. `threads`, the default: all run on vCPU threads. */
  readonly execution?: 'auto' | 'threads';
  /** Called for a thread that ended by itself. */
  readonly onThreadDeath?: (death: ThreadDeath) => void;
}

/** A thread that ended by itself. */
export interface ThreadDeath {
  readonly thread: number;
  readonly reason: unknown;
  /** Slots of the machines that it was in, or may have been in; undefined if nothing can take its place. */
  readonly slots: readonly number[] | undefined;
}

/** Records of a submission ring, and of the event ring: enough for a millisecond of the gateway being busy elsewhere. */
const SUBMISSIONS = 1024;
const LEAST_EVENTS = 16384;
/** How often the gateway checks, while it sleeps, whether it should be awake. */
const WATCHDOG_MS = 500;
/** How often the gateway looks whether more threads have come to hang. */
const HANG_CHECK_MS = 50;

/** A power of two: at least half of the event ring is used when a thread finds no room for the bursts of all threads. */
function eventRecords(vcpuThreads: number): number {
  const bursts = (vcpuThreads + 2) * LARGEST_BURST;
  return Math.max(LEAST_EVENTS, 2 ** Math.ceil(Math.log2(2 * bursts)));
}

/**
 * The gateway on Node's event loop: starts the threads, gives the gateway its turns, sleeps between them, and replaces
 * threads that hang. It never waits for a lock.
 */
export class Engine {
  readonly map: SharedMap;
  readonly shared: SharedMemory;
  /** What is done without an event loop. */
  readonly gateway: Gateway;
  /** For making machines, and for reading what needs no lock. */
  readonly machine: Machine;
  readonly due: DueWork;
  readonly statistics: StatisticsReader;
  readonly lockView: LockView;
  readonly traces: TraceView;
  missedWakeups = 0;

  readonly #buffer: SharedArrayBuffer;
  readonly #counts: ThreadStatistics;
  readonly pool: Pool;
  readonly #replacements: Replacements;
  /** The last view that was asked of each vCPU thread: one at a time. */
  readonly #viewing: Promise<unknown>[] = [];
  /** The last hand-over of a machine's state: one at a time. */
  #transferring: Promise<unknown> = Promise.resolve();
  readonly #handlers = new Map<number, (event: MachineEvent) => void>();
  #closing = false;
  #onDeath: (reason: unknown) => void = () => {};
  #loop: Promise<void> = Promise.resolve();

  constructor(readonly options: EngineOptions) {
    const { machines, vcpuThreads, statisticsSlots = 1, traceRecords = 0 } = options;
    this.map = sharedMap({
      machines,
      vcpuThreads,
      submissions: SUBMISSIONS,
      events: eventRecords(vcpuThreads),
      statisticsSlots,
      traceRecords,
    });
    this.#buffer = new SharedArrayBuffer(this.map.words * 4);
    this.shared = new SharedMemory(this.#buffer);
    this.statistics = new StatisticsReader(this.shared, this.map);
    this.#counts = new ThreadStatistics(this.#buffer, this.map, GATEWAY_THREAD);
    const thread = new Thread(GATEWAY_THREAD, this.shared, this.#counts);
    this.gateway = new Gateway(thread, new SharedMemory(this.#buffer), this.map, this.#ports(), options);
    this.machine = this.gateway.machine;
    this.due = this.gateway.due;
    this.lockView = this.gateway.lockView;
    this.traces = new TraceView(this.shared, this.map);
    this.pool = new Pool(this.#buffer, this.map, (thread, { kind }, reason, ran) => {
      this.#onDeath(reason);
      const slots = kind === 'vcpu' && ran ? this.#replacements.bury(thread) : undefined;
      // No one receives their results.
      for (const slot of slots ?? []) this.gateway.controls.abandon(slot);
      options.onThreadDeath?.({ thread, reason, slots });
    });
    this.#replacements = new Replacements(this.gateway, this.pool, () => this.#handlers.keys());
  }

  #ports(): GatewayPorts {
    return {
      deliver: (slot, event) => this.#deliver(slot, event),
      exists: (slot) => this.#handlers.has(slot),
      freeze: (slot) => this.gateway.dueWorkOf(slot).freeze(),
      wake: (slot) => this.#replacements.wake(slot),
      replace: (stuck) => (this.#closing ? undefined : this.#replacements.replace(stuck)),
      later: (again) => setTimeout(again, HANG_CHECK_MS).unref(),
    };
  }

  /** Starts the threads; resolves when all run. */
  async start(): Promise<void> {
    const started = [this.pool.startMainLoop()];
    for (let index = 0; index < this.map.vcpuThreads; index++) {
      this.gateway.vcpus.push(this.gateway.dispatch(FIRST_VCPU_THREAD + index, index));
      this.#viewing.push(Promise.resolve());
      started.push(this.pool.startVcpu(index));
    }
    await Promise.all(started);
    this.#loop = this.#run();
    // A worker is online before it has read its modules.
    const died = new Promise<never>((_, reject) => {
      this.#onDeath = reject;
    });
    await Promise.race([this.round(), died]);
  }

  /** Ends all threads. What is still unanswered stays so. */
  async close(): Promise<void> {
    this.#closing = true;
    this.gateway.host.gatewayBell.ring();
    await this.#loop;
    await this.pool.close();
  }

  /** Makes a machine in a slot that is free. */
  createMachine(options: MachineOptions, onEvent: (event: MachineEvent) => void): void {
    const base = machineAt(this.map, options.slot);
    const { memory } = this.machine;
    memory.select(base);
    for (let word = 0; word < MACHINE_WORDS; word++) memory.store(word, 0);
    this.#handlers.set(options.slot, onEvent);
    this.lockView.begin(options.slot);
    this.traces.begin(options.slot);
    this.machine.create(base, options);
    if (options.load?.duty) this.due.requestRound();
  }

  /**
   * Frees a slot: resolves when the main loop has let go of the machine and all its events are delivered. The caller made
   * sure that no request to it is in flight.
   */
  async removeMachine(slot: number): Promise<void> {
    const { hung, controls } = this.gateway;
    if (hung.has(slot)) await this.#replacements.removeHung(slot);
    else await this.control(slot, CONTROL_REMOVE);
    // A vCPU thread may have come for callbacks that were left for it.
    await this.gateway.barrier();
    this.#handlers.delete(slot);
    controls.abandon(slot);
    hung.forgetWaiting(slot);
  }

  /** Makes a machine in which threads hang or died as new, in its slot; those threads are ended first. */
  async remakeMachine(options: MachineOptions): Promise<void> {
    const { slot } = options;
    await this.#replacements.removeHung(slot);
    this.gateway.controls.abandon(slot);
    const handler = this.#handlers.get(slot);
    if (handler) this.createMachine(options, handler);
  }

  // Threads that hang

  /** Resolves when threads have come to hang in a machine, or one died in it. */
  hang(slot: number): Promise<void> {
    return this.gateway.hung.whenHung(slot);
  }

  /** Whether threads hang indefinitely in a machine (`onDeadlock: hang`), or one died in it. */
  isHung(slot: number): boolean {
    return this.gateway.hung.has(slot);
  }

  /** Whether a thread died in a machine. */
  isSuspect(slot: number): boolean {
    return this.gateway.hung.hasLost(slot);
  }

  /** Submits a request to a vCPU thread: behind a pending step of its lane, if it has one. */
  submit(
    vcpuThread: number,
    slot: number,
    operation: number,
    size: number,
    address: number,
    low: number,
    high: number,
    answer: Completion,
    lane?: Lane,
  ): void {
    const gateway = this.gateway;
    gateway.enter(vcpuThread, gateway.request(slot, operation, size, address, low, high, answer, lane), lane);
  }

  /** Asks the main loop for control work. Resolves when it is complete and all events that it caused are delivered. */
  control(slot: number, work: number, argument = 0): Promise<void> {
    return new Promise((done) => this.gateway.controls.request(slot, work, argument, done));
  }

  /**
   * Control work that hands the state of a machine over in shared memory, for one machine at a time: `before` may write
   * it there and `after` read it, at this absolute word address (`machine/saved-state.ts`; the time lies in its first
   * two words). The caller keeps everyone out of the machine meanwhile. False if threads hang in the machine.
   */
  transfer(slot: number, work: number, argument: number, before: (at: number) => void, after: (at: number) => void) {
    const transfer = this.#transferring.then(async () => {
      before(this.map.transfer);
      await Promise.race([this.control(slot, work, argument), this.hang(slot)]);
      if (this.isHung(slot)) {
        // The main loop may be at it still, in memory that the next one uses.
        await this.round();
        return false;
      }
      after(this.map.transfer);
      return true;
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

  /** Resolves when the main loop has completed another round. */
  round(): Promise<void> {
    return new Promise((resolve) => this.gateway.round(resolve));
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
    const { decisions } = this.machine.chipset;
    return { ...decisions.counts(), stale: decisions.staleUpdates() };
  }

  /** The machine's Xen filter, with the assertions of it that failed. */
  xen(slot: number): (XenOptions & { failures: AssertionFailures | undefined }) | undefined {
    this.machine.select(machineAt(this.map, slot));
    const { xen } = this.machine.chipset;
    return xen.options && { ...xen.options, failures: xen.failures() };
  }

  /** Changes the background work of the main loop under the BQL. */
  loadBql(slot: number, load: BqlLoadOptions): void {
    this.machine.select(machineAt(this.map, slot));
    this.due.load.configure(load);
    this.due.requestRound();
  }

  async #run(): Promise<void> {
    while (!this.#closing) {
      const rings = this.gateway.step();
      if (rings === undefined) {
        await new Promise(setImmediate);
      } else {
        await this.#sleep(rings);
        this.gateway.wake();
      }
    }
  }

  /** Sleeps until the bell rings. The promise of waitAsync keeps no process alive; the timer does. */
  async #sleep(rings: number): Promise<void> {
    const word = this.gateway.host.gatewayBell.rings;
    const woken = this.shared.waitAsync(word, rings);
    if (!woken) return;
    let [awake, isLate] = [false, false];
    const watchdog = setInterval(() => {
      if (awake || this.shared.load(word) === rings) return;
      // A process that was stopped finds the bell rung and its wakeup still queued: that one runs before the next check.
      if (!isLate) {
        isLate = true;
        return;
      }
      this.missedWakeups++;
      this.shared.notify(word, 1);
    }, WATCHDOG_MS);
    await woken;
    awake = true;
    clearInterval(watchdog);
  }

  #deliver(slot: number, event: MachineEvent): void {
    const handler = this.#handlers.get(slot);
    if (!handler) return;
    // Noted before: what the handler does may use the event again.
    const { kind, virtualTime, position } = event;
    this.#counts.select(machineAt(this.map, slot));
    this.#counts.deliveryBegins(position, kind);
    handler(event);
    // It may have turned to another machine.
    this.#counts.select(machineAt(this.map, slot));
    this.#counts.deliveryEnds();
    if (kind !== EVENT_LINE) this.#counts.delivered(virtualTime);
  }
}
