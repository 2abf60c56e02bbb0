import type { Configuration } from '../../config/schema.js';
import { SouthbridgeError } from '../../errors.js';
import { Engine, type ThreadDeath } from '../../runtime/engine.js';
import { threadName } from '../../runtime/memory/shared-map.js';
import { within } from '../../runtime/promises.js';
import { StatisticsSlots } from '../../runtime/statistics/statistics-slots.js';
import type { Stall } from '../../runtime/supervisor/watchdog.js';
import { Connections } from '../flow/connections.js';
import { Flow } from '../flow/flow.js';
import type { CheckpointStore } from './checkpoint-store.js';
import type { ClusterPort, RoutingPort } from './cluster-port.js';
import { Examinations, type Examiner } from './examinations.js';
import type { MachineHandle } from './machine-handle.js';
import { Machines } from './machines.js';

/** A main loop that has not completed a round for this long is stuck. */
const ROUND_MS = 1000;

/** What all routes share: the threads, the machines on them, and who is connected. */
export class Service {
  /** Called when a thread makes no progress although it has work, with what the watchdog found. */
  onStall: (text: string, isEnded: boolean) => void = () => {};
  readonly engine: Engine;
  readonly machines: Machines;
  readonly statisticsSlots: StatisticsSlots;
  readonly connections: Connections;
  readonly flow = new Flow();
  readonly examinations: Examinations;
  /** Threads that ended by themselves. */
  threadDeaths = 0;
  draining = false;
  /** The cluster that this server is a node of, if it is one. */
  cluster: ClusterPort | undefined;
  /** Of a node of a cluster. */
  routing: RoutingPort | undefined;
  /** Why the server can no longer do its work, if so. */
  failure: string | undefined;

  constructor(
    readonly configuration: Configuration,
    /** Called for threads that ended by themselves. */
    readonly onThreadDeath: (death: ThreadDeath, machines: readonly string[]) => void,
    readonly store?: CheckpointStore,
    examiner?: Examiner,
  ) {
    this.examinations = new Examinations(examiner);
    const { vcpuThreads, limits } = configuration;
    this.connections = new Connections(limits);
    this.statisticsSlots = new StatisticsSlots(limits.measuredMachines);
    this.engine = new Engine({
      execution: configuration.execution,
      vcpuThreads,
      machines: limits.machines,
      statisticsSlots: this.statisticsSlots.capacity,
      traceRecords: limits.traceRecords,
      exitsOnStall: configuration.watchdog.exit,
      onStall: (stall, isEnded) => this.#onStall(stall, isEnded),
      onThreadDeath: (death) => this.#onThreadDeath(death),
    });
    this.machines = new Machines(this.engine, limits, this.statisticsSlots, store, this.flow.drops.vcpu);
  }

  /** Starts the threads and makes the machines that are configured or kept. */
  async start(): Promise<void> {
    await this.engine.start();
    const { machines } = this.configuration;
    if (this.store) await this.store.makeMachines(this.machines, machines);
    else for (const machine of machines) this.machines.create(machine);
  }

  #machineAt(slot: number): MachineHandle | undefined {
    return [...this.machines].find(({ options }) => options.slot === slot);
  }

  #nameOf(slot: number): string | undefined {
    return this.#machineAt(slot)?.name;
  }

  #onStall(stall: Stall, isEnded: boolean): void {
    const text = this.engine.stalls.textOf(stall, (slot) => this.#nameOf(slot));
    const machine = this.#machineAt(stall.waits[0].slot);
    if (isEnded && machine) machine.stall = text;
    this.onStall(text, isEnded);
  }

  /** Throws `stalled` while a thread makes no progress although it has work. */
  requireProgress(): void {
    const { stalls } = this.engine;
    const [stall] = stalls.current.values();
    if (!stall) return;
    throw new SouthbridgeError('stalled', { stall: stalls.textOf(stall, (slot) => this.#nameOf(slot)) });
  }

  #onThreadDeath(death: ThreadDeath): void {
    const { thread, slots } = death;
    this.threadDeaths++;
    if (!slots) this.failure = `the ${threadName(thread, this.engine.map, this.engine.shared)} thread has ended`;
    const inside = [...this.machines].filter(({ options }) => slots?.includes(options.slot));
    this.onThreadDeath(
      death,
      inside.map(({ name }) => name),
    );
  }

  /** Admits no further requests; resolves when those in flight are answered, or after `ms`. */
  async drain(ms: number): Promise<void> {
    this.draining = true;
    await within(ms, Promise.all([...this.machines].map((machine) => machine.drain())), undefined);
  }

  close(): Promise<void> {
    this.examinations.close();
    return this.engine.close();
  }

  /** Throws unless a connection from this address can be taken now. */
  requireRoom(address: string | undefined): void {
    if (this.draining) throw new SouthbridgeError('shutting-down');
    this.connections.requireRoom(address);
  }

  /** Throws `not-ready` unless requests can be served. */
  async requireReady(): Promise<void> {
    if (this.draining) throw new SouthbridgeError('not-ready', { reason: 'it is shutting down' });
    if (this.failure) throw new SouthbridgeError('not-ready', { reason: this.failure });
    if (this.store?.maySend?.() === false)
      throw new SouthbridgeError('not-ready', { reason: 'it has no lease in the cluster' });
    const round = this.engine.round().then(() => true);
    if (!(await within(ROUND_MS, round, false))) {
      throw new SouthbridgeError('not-ready', { reason: 'the main loop has made no progress for a second' });
    }
  }
}
