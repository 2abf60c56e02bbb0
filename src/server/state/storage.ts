import type { MachineHandle } from '../service/machine-handle.js';
import type { Checkpoint } from './checkpoint.js';

/** A checkpoint that could not be read, or not be used, and its new name. */
export interface SetAside {
  readonly machine: string;
  readonly file: string;
  readonly reason: string;
  readonly aside: string;
}

/** The last checkpoint of a machine that can be restored, if there is one, and those that were set aside. */
export interface Found {
  readonly checkpoint: Checkpoint | undefined;
  readonly damaged: readonly SetAside[];
}

/** Where checkpoints are: a folder of this server, or a store that the nodes of a cluster share. */
export interface CheckpointStorage {
  /** Names it in logs and errors. */
  readonly path: string;
  /** Whether this server may send anything of its machines now; always, if not given. */
  readonly maySend?: (() => boolean) | undefined;
  /** Called with every machine when it is made, before it has its state. */
  created?(machine: MachineHandle): void;
  /** Names of the machines of which there is a checkpoint that this server restores at its start, and of deleted ones. */
  names(): Promise<{ readonly kept: readonly string[]; readonly deleted: readonly string[] }>;
  /** Takes the name of a configured machine that has no checkpoint; false if another server has a machine of that name. */
  reserve(name: string): Promise<boolean>;
  /** The last checkpoint that can be read. All others are set aside. Throws `checkpoint-version`. */
  read(name: string): Promise<Found>;
  /**
   * Writes a checkpoint; the one before it stays until the next. Durable after `flush`. Returns the bytes written. Throws
   * `checkpoint-unreadable`, before it changes anything, if the next start could not read it.
   */
  write(name: string, checkpoint: Checkpoint): Promise<number>;
  /** `write`, durable when it resolves. If it rejects, the checkpoint before it is the last one again. */
  commit(name: string, checkpoint: Checkpoint): Promise<number>;
  /** Makes the checkpoint before the last one the last again; removes the last one if there was none before it. */
  revert(name: string): Promise<void>;
  /**
   * Removes a machine's checkpoints, durably; `tombstone`, if the deletion has to be remembered. If this rejects, the last
   * checkpoint is where it was.
   */
  remove(name: string, tombstone: boolean): Promise<void>;
  /** Forgets that a machine was deleted. */
  forgetDeletion(name: string): Promise<void>;
  /** Takes a machine's last checkpoint out of the way; returns its new name. */
  setAside(name: string, why: string): Promise<string>;
  /** To be called before anything is read or written; false if what was written before is no longer there. */
  hold(): Promise<boolean>;
  /** Throws unless something of the size of a checkpoint can be written. */
  probe(): Promise<void>;
  /** Makes durable what was written. */
  flush(): Promise<void>;
  /** Whether the server before ended in order; from now on this one has not. */
  takeShutdown(): Promise<boolean>;
  markShutdown(): Promise<void>;
  close(): Promise<void>;
}
