import { type MachineConfig, toMachineOptions } from '../../config/machine.js';
import type { Limits } from '../../config/schema.js';
import { designOf } from '../../core/locking/presets.js';
import { SouthbridgeError } from '../../errors.js';
import type { Engine } from '../../runtime/engine.js';
import { within } from '../../runtime/promises.js';
import type { StatisticsSlots } from '../../runtime/statistics/statistics-slots.js';
import type { Drops } from '../flow/flow.js';
import type { CheckpointStore } from './checkpoint-store.js';
import { MachineHandle } from './machine-handle.js';
import { restore } from './saving.js';
import type { Snapshot } from './snapshot.js';

/** A deletion that has begun and cannot fail for want of storage. The name of the machine is taken until it is removed. */
export interface Deletion {
  readonly isRemoved: boolean;
  /** Resolves when nothing is left of the machine. */
  readonly removed: Promise<true>;
}

/** The machines of a server, by name. Each has a slot of shared memory for as long as it exists. */
export class Machines {
  readonly #machines = new Map<string, MachineHandle>();
  /** Those that get their state, and that nobody may use before. */
  readonly #hidden = new Set<MachineHandle>();
  readonly #freeSlots: number[];
  /** Of machines that are no more. */
  #dropped = 0;

  constructor(
    readonly engine: Engine,
    readonly limits: Limits,
    readonly statisticsSlots: StatisticsSlots,
    readonly store?: CheckpointStore,
    /** Counts what vCPUs' backlogs have no room for. */
    readonly drops?: Drops,
  ) {
    // The lowest slot is taken first.
    this.#freeSlots = Array.from({ length: limits.machines }, (_, i) => limits.machines - 1 - i);
  }

  *[Symbol.iterator](): Iterator<MachineHandle> {
    for (const machine of this.#machines.values()) if (!this.#hidden.has(machine)) yield machine;
  }

  get size(): number {
    return this.#machines.size;
  }

  /** Interrupts that were not kept, of all vCPUs that ever were. */
  get droppedInterrupts(): number {
    let dropped = this.#dropped;
    for (const machine of this) dropped += droppedOf(machine);
    return dropped;
  }

  /** Whether `get` finds a machine of this name. */
  has(name: string): boolean {
    const machine = this.#machines.get(name);
    return machine !== undefined && !this.#hidden.has(machine);
  }

  /** Throws `unknown-machine`. */
  get(name: string): MachineHandle {
    const machine = this.#machines.get(name);
    if (!machine || this.#hidden.has(machine)) throw new SouthbridgeError('unknown-machine', { machine: name });
    return machine;
  }

  /** Throws `machine-exists` or `too-many-machines`. */
  create(config: MachineConfig): MachineHandle {
    const { name } = config;
    if (this.#machines.has(name)) throw new SouthbridgeError('machine-exists', { machine: name });
    const slot = this.#freeSlots.pop();
    if (slot === undefined) throw new SouthbridgeError('too-many-machines', { limit: this.limits.machines });
    const statistics = this.statisticsSlots.take(name, designOf(config.locking), config.metrics === 'own');
    const options = toMachineOptions(config, slot, statistics);
    const machine = new MachineHandle(this.engine, config, options, this.limits.pendingInterrupts, this.drops);
    if (this.store?.maySend) machine.maySend = this.store.maySend;
    this.#machines.set(name, machine);
    this.store?.created(machine);
    return machine;
  }

  /** A machine that is hidden until `prepare` resolves. If that rejects, there is no machine. Throws as `create`. */
  async createHidden(config: MachineConfig, prepare: (machine: MachineHandle) => Promise<void>): Promise<void> {
    const machine = this.create(config);
    this.#hidden.add(machine);
    try {
      await prepare(machine);
    } catch (error) {
      if (machine.state !== 'deleting') await this.#remove(machine, true);
      throw error;
    } finally {
      this.#hidden.delete(machine);
    }
  }

  /** Ends a machine that continues on another node: its clients may connect again, and its checkpoints stay. */
  async move(name: string): Promise<void> {
    const machine = this.#machines.get(name);
    if (machine && machine.state !== 'deleting') await this.#remove(machine, true);
  }

  /** Makes a machine with a first checkpoint. If that cannot be written, there is no machine. Throws as `CheckpointStore.made`. */
  async add(config: MachineConfig): Promise<MachineHandle> {
    const machine = this.create(config);
    try {
      await this.store?.made(machine);
    } catch (error) {
      let removed: Promise<void> | undefined;
      const remove = () => {
        removed = this.#remove(machine);
      };
      if (machine.state !== 'deleting') await this.store?.discard(machine, remove);
      await removed;
      throw error;
    }
    return machine;
  }

  /**
   * Resolves when the deletion is durable, and nothing is left of the machine or `ms` have passed. Throws as `CheckpointStore.delete`, and then the machine runs on.
   */
  async delete(name: string, ms = 0): Promise<Deletion> {
    const machine = this.get(name);
    if (machine.state === 'deleting') throw machine.gone();
    let removed: Promise<void> | undefined;
    const remove = () => {
      removed = this.#remove(machine);
    };
    if (this.store) await this.store.delete(machine, remove);
    else remove();
    const done = (removed ?? Promise.resolve()).then((): true => true);
    return { isRemoved: await within(ms, done, false), removed: done };
  }

  /** Makes a machine what it was at a snapshot. Throws as `CheckpointStore.restore`, and then it is what it was before. */
  restore(machine: MachineHandle, snapshot: Snapshot, counter: 'continue' | 'jump'): Promise<void> {
    return this.store
      ? this.store.restore(machine, snapshot, counter)
      : restore(machine, snapshot, counter, { isServed: true });
  }

  async #remove(machine: MachineHandle, moves = false): Promise<void> {
    await machine.delete(moves);
    // After a round the main loop has counted the last of the machine.
    await this.engine.round();
    this.#machines.delete(machine.name);
    this.#endFigures(machine);
    this.#dropped += droppedOf(machine);
    this.#freeSlots.push(machine.options.slot);
  }

  /** The series of the machine end; its counts go on in those that machines of its design share. */
  #endFigures({ options: { statistics } }: MachineHandle): void {
    if (!statistics) return;
    const heir = this.statisticsSlots.release(statistics.slot);
    if (heir !== undefined) this.engine.statistics.move(statistics.slot, heir);
  }
}

function droppedOf({ vcpus }: MachineHandle): number {
  return vcpus.reduce((sum, { backlog }) => sum + backlog.dropped, 0);
}
