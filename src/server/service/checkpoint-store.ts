import type { MachineConfig } from '../../config/machine.js';
import type { MachineHandle } from './machine-handle.js';
import type { Snapshot } from './snapshot.js';

/** Figures of the checkpoints so far; times in milliseconds. */
export interface CheckpointFigures {
  readonly checkpoints: number;
  readonly failures: number;
  readonly bytes: number;
  /** Age of the oldest of the last checkpoints of machines that changed since theirs; 0 if none did. */
  readonly age: number;
  /** How long the last round took. */
  readonly duration: number;
  /** Machines whose last checkpoint could not be written. */
  readonly failing: number;
  /** Why one of them, or the last request that was refused, could not be written; undefined if all could. */
  readonly failure: string | undefined;
  /** Checkpoints that could not be read since the start, and were set aside. */
  readonly setAside: readonly { readonly machine: string; readonly aside: string; readonly reason: string }[];
}

/** The machines of a server, as far as the checkpoint store needs them. */
export interface StoredMachines extends Iterable<MachineHandle> {
  readonly size: number;
  /** Makes a machine without a checkpoint. Throws as `Machines.create`. */
  create(config: MachineConfig): MachineHandle;
  /** Makes a machine that nobody can use before `prepare` resolves. Throws as `create` or as `prepare`. */
  createHidden(config: MachineConfig, prepare: (machine: MachineHandle) => Promise<void>): Promise<void>;
  /** Ends a machine that continues on another node. */
  move(name: string): Promise<void>;
  /** Throws `unknown-machine`. */
  get(name: string): MachineHandle;
}

/** Stores checkpoints of machines beyond the end of the process: `src/server/state`. */
export interface CheckpointStore {
  /** Makes the machines that have checkpoints, and those that are configured. */
  makeMachines(machines: StoredMachines, configured: readonly MachineConfig[]): Promise<void>;
  /** Writes a checkpoint of a machine, durably. Throws `state-no-space`, `state-unavailable`, or as `save`. */
  made(machine: MachineHandle): Promise<void>;
  /**
   * Removes the checkpoints of a machine, durably, and calls `remove` before any other can be written. Throws as `made`
   * before that, or `machine-closing`; the checkpoints are then still there.
   */
  delete(machine: MachineHandle, remove: () => void): Promise<void>;
  /** The same for a machine whose first checkpoint failed; calls `remove` in any case. */
  discard(machine: MachineHandle, remove: () => void): Promise<void>;
  /** Writes the state that a restore is about to load, durably, and loads it. Throws as `made` or as `restore`. */
  restore(machine: MachineHandle, snapshot: Snapshot, counter: 'continue' | 'jump'): Promise<void>;
  /** The last snapshot that is kept of a machine. */
  lastOf(name: string): Promise<Snapshot | undefined>;
  readonly figures: CheckpointFigures;
  /** Called with every machine when it is made, before it has its state. */
  created(machine: MachineHandle): void;
  /** Whether anything of the machines may be sent now; always, if not given. */
  readonly maySend?: (() => boolean) | undefined;
}
