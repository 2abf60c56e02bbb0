import { EVENT_LINE } from '../core/machine/events.js';
import { SharedMemory } from '../core/memory/shared-memory.js';
import { Thread } from '../core/sync/thread.js';
import { LARGEST_BURST, type MachineEvent } from './events/event-ring.js';
import { MachineSlot, type SlotParts } from './machine-slot.js';
import { FIRST_VCPU_THREAD, GATEWAY_THREAD, machineAt, type SharedMap, sharedMap } from './memory/shared-map.js';
import { SerialQueue } from './promises.js';
import type { LockView } from './statistics/lock-view.js';
import { StatisticsReader } from './statistics/statistics-reader.js';
import { ThreadStatistics } from './statistics/thread-statistics.js';
import { Pool } from './supervisor/pool.js';
import { Stalls } from './supervisor/stalls.js';
import { Supervisor } from './supervisor/supervisor.js';
import type { Stall } from './supervisor/watchdog.js';
import { Gateway, type GatewayPorts } from './threads/gateway.js';
import { LeaseWord } from './threads/lease-word.js';
import { TraceView } from './trace/trace-view.js';

export interface EngineOptions {
  readonly vcpuThreads: number;
  readonly machines: number;
  /** 1 if not given. */
  readonly statisticsSlots?: number;
  /** Records of each thread's trace; 0 if not given, and then nothing can be traced. */
  readonly traceRecords?: number;
  /** `auto`: an access that cannot block runs where it is submitted. `threads`, the default: all run on vCPU threads. */
  readonly execution?: 'auto' | 'threads';
  /**
   * Called for a thread that makes no progress although it has work. `isEnded`: it was ended, another one took its place,
   * and the machine of its wait, the first of the stall, is suspect.
   */
  readonly onStall?: (stall: Stall, isEnded: boolean) => void;
  /** Whether the process is to end on a stall: with SIGKILL where the gateway has no turn to end it. */
  readonly exitsOnStall?: boolean;
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

/** A power of two: at least half of the event ring is for the shares of machines, the rest for bursts beyond them. */
function eventRecords(vcpuThreads: number, machines: number): number {
  const bursts = (vcpuThreads + 2) * LARGEST_BURST;
  return Math.max(LEAST_EVENTS, 2 ** Math.ceil(Math.log2(2 * bursts + Math.max(2 * bursts, 2 * machines))));
}

/**
 * The gateway on Node's event loop: starts the threads, runs the turns of the gateway, sleeps between them, and replaces
 * threads that hang. It never waits for a lock. `slot` is the way to its machines.
 */
export class Engine {
  readonly map: SharedMap;
  readonly shared: SharedMemory;
  /** The part that needs no event loop. */
  readonly gateway: Gateway;
  readonly statistics: StatisticsReader;
  readonly lockView: LockView;
  readonly traces: TraceView;
  readonly stalls: Stalls;
  readonly #lease: LeaseWord;
  missedWakeups = 0;

  readonly #buffer: SharedArrayBuffer;
  readonly #counts: ThreadStatistics;
  readonly pool: Pool;
  readonly #supervisor: Supervisor;
  readonly #parts: SlotParts;
  readonly #slots: MachineSlot[] = [];
  #closing = false;
  #onDeath: (reason: unknown) => void = () => {};
  #loop: Promise<void> = Promise.resolve();

  constructor(readonly options: EngineOptions) {
    const { machines, vcpuThreads, statisticsSlots = 1, traceRecords = 0 } = options;
    this.map = sharedMap({
      machines,
      vcpuThreads,
      submissions: SUBMISSIONS,
      events: eventRecords(vcpuThreads, machines),
      statisticsSlots,
      traceRecords,
    });
    this.#buffer = new SharedArrayBuffer(this.map.words * 4);
    this.shared = new SharedMemory(this.#buffer);
    this.statistics = new StatisticsReader(this.shared, this.map);
    this.#counts = new ThreadStatistics(this.#buffer, this.map, GATEWAY_THREAD);
    const thread = new Thread(GATEWAY_THREAD, this.shared, this.#counts);
    this.gateway = new Gateway(thread, new SharedMemory(this.#buffer), this.map, this.#ports(), options);
    this.#lease = new LeaseWord(this.shared, this.map.lease);
    this.gateway.host.lease = this.#lease;
    this.lockView = this.gateway.lockView;
    this.traces = new TraceView(this.shared, this.map);
    this.pool = new Pool(this.#buffer, this.map, (thread, { kind }, reason, ran) => {
      this.#onDeath(reason);
      const slots = kind !== 'main-loop' && ran ? this.#supervisor.recover([thread]) : undefined;
      options.onThreadDeath?.({ thread, reason, slots });
    });
    this.stalls = new Stalls(this.map, this.shared, (stall) => void this.#onStall(stall));
    this.#supervisor = new Supervisor(this.gateway, this.pool);
    this.#parts = {
      gateway: this.gateway,
      supervisor: this.#supervisor,
      traces: this.traces,
      serial: new SerialQueue(),
    };
  }

  async #onStall(stall: Stall): Promise<void> {
    const [{ thread, slot }] = stall.waits;
    const isEnded = !this.#closing && slot >= 0 && (await this.#supervisor.endStalled(thread, slot));
    this.options.onStall?.(stall, isEnded);
  }

  #ports(): GatewayPorts {
    return {
      deliver: (slot, event) => this.#deliver(slot, event),
      hang: (machine) => this.#supervisor.hang(machine),
    };
  }

  /** Starts the threads; resolves when all run. */
  async start(): Promise<void> {
    const started = [this.pool.startMainLoop()];
    for (let index = 0; index < this.map.vcpuThreads; index++) {
      this.gateway.vcpus.push(this.gateway.dispatch(FIRST_VCPU_THREAD + index, index, index));
      started.push(this.pool.startVcpu(index));
    }
    await Promise.all(started);
    this.#loop = this.#run();
    // A worker is online before it has read its modules.
    const died = new Promise<never>((_, reject) => {
      this.#onDeath = reject;
    });
    await Promise.race([this.round(), died]);
    this.stalls.start(this.#buffer, this.options.exitsOnStall ?? false);
  }

  /** Ends all threads. What is still unanswered stays so. */
  async close(): Promise<void> {
    this.#closing = true;
    this.gateway.host.gatewayBell.ring();
    await this.#loop;
    await Promise.all([this.stalls.close(), this.pool.close()]);
  }

  /** A slot, with the machine in it if there is one. Slots count from 0. */
  slot(slot: number): MachineSlot {
    this.#slots[slot] ??= new MachineSlot(slot, this.#parts);
    return this.#slots[slot];
  }

  /**
   * Lets the threads act for machines until `until`, in ms of a `BootClock`; undefined ends that at once. An engine that
   * never gets a lease acts without one.
   */
  lease(until: number | undefined): void {
    if (until === undefined) this.#lease.expire();
    else if (this.#lease.hold(until)) this.#kickAll();
  }

  /** Threads left due work undone while there was no lease. */
  #kickAll(): void {
    for (let slot = 0; slot < this.map.machines; slot++) {
      this.gateway.host.kickMainLoop(slot);
      this.gateway.host.kickVcpu(slot);
    }
  }

  /** Resolves when the main loop has completed another round. */
  round(): Promise<void> {
    return new Promise((resolve) => this.gateway.round(resolve));
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
    const handler = this.#slots[slot]?.events;
    if (!handler) return;
    // Read before: the handler may cause the event object to be used again.
    const { kind, virtualTime, position } = event;
    this.#counts.select(machineAt(this.map, slot));
    this.#counts.deliveryBegins(position, kind);
    handler(event);
    // It may have selected another machine.
    this.#counts.select(machineAt(this.map, slot));
    this.#counts.deliveryEnds();
    if (kind !== EVENT_LINE) this.#counts.delivered(virtualTime);
  }
}
