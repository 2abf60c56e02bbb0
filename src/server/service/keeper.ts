import type { MachineConfig } from '../../config/machine.js';
import type { MachineHandle } from './machine-handle.js';
import type { Snapshot } from './snapshot.js';

/** What was kept so far; times in milliseconds. */
export interface KeeperFigures {
  readonly checkpoints: number;
  readonly failures: number;
  readonly bytes: number;
  /** Age of the oldest of the last checkpoints of machines that changed since theirs; 0 if none did. */
  readonly age: number;
  /** How long the last round took. */
  readonly duration: number;
  /** Why the last round, or what came after it, failed; undefined if it did not. */
  readonly failure: string | undefined;
  /** Checkpoints that could not be read since the start, and were set aside. */
  readonly setAside: readonly { readonly machine: string; readonly aside: string; readonly reason: string }[];
}

/** The machines of a server, as far as their keeper needs them. */
export interface KeptMachines extends Iterable<MachineHandle> {
  /** Makes a machine without a checkpoint. Throws as `Machines.create`. */
  create(config: MachineConfig): MachineHandle;
}

/** Keeps machines beyond the end of the process: `src/server/state`. */
export interface Keeper {
  /** Makes the machines that are kept, and those that are configured. */
  makeMachines(machines: KeptMachines, configured: readonly MachineConfig[]): Promise<void>;
  /** A machine was made. Resolves when it is kept, or cannot be, which is told elsewhere. */
  made(machine: MachineHandle): Promise<void>;
  /** A machine was deleted. */
  deleted(name: string): Promise<void>;
  /** The last snapshot that is kept of a machine. */
  lastOf(name: string): Promise<Snapshot | undefined>;
  readonly figures: KeeperFigures;
}
