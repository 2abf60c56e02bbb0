import { withFailure } from './failed-starts.js';
import {
  checkpointKey,
  decodeMachine,
  encode,
  type FailedStart,
  fenceOf,
  type MachineRecord,
  machineKey,
  type NodeLife,
} from './records.js';
import type { SettledStore } from './settled-write.js';
import type { Entry } from './store.js';

/** Where a node keeps records of machines, and their checkpoints. */
export interface OwnerStores {
  readonly records: SettledStore;
  readonly checkpoints: SettledStore;
}

/** A checkpoint is missing although the record of its machine points to it. */
export class MissingCheckpoint extends Error {
  override readonly name = 'MissingCheckpoint';
  readonly code = 'checkpoint-damaged';

  constructor(key: string) {
    super(`${key} is missing`);
  }
}

/**
 * A machine that this node owns, as far as it knows. Every change of its record is a compare-and-set: the first that
 * throws `Conflict` shows that another node has claimed the machine. Changes are made one after the other.
 */
export class OwnedMachine {
  readonly #key: string;
  #revision: number;
  #record: MachineRecord;
  /** Of the next checkpoint. */
  #number = 1;
  /** The checkpoint before the one that counts, which `revert` returns to. */
  #previous = '';

  private constructor(
    readonly stores: OwnerStores,
    record: MachineRecord,
    revision: number,
    /** Whether the last owner released the machine in order: the checkpoint is the last state that anyone saw. */
    readonly isOrderly = false,
  ) {
    this.#key = machineKey(record.machine);
    this.#revision = revision;
    this.#record = { ...record, fence: revision };
  }

  get name(): string {
    return this.#record.machine;
  }

  /** Greater than that of every owner before. */
  get fence(): number {
    return this.#record.fence;
  }

  /** Claims a name that no machine has. Throws `Conflict` if one has it, or `Unsettled`. */
  static async create(stores: OwnerStores, machine: string, owner: NodeLife): Promise<OwnedMachine> {
    const record: MachineRecord = { machine, owner, fence: 0, checkpoint: '', orderly: false };
    return new OwnedMachine(stores, record, await stores.records.write(machineKey(machine), encode(record), 0));
  }

  /** Claims a machine whose record is still this one. Throws `Conflict` if it is not, or `Unsettled`. */
  static async claim(stores: OwnerStores, { key, value, revision }: Entry, owner: NodeLife): Promise<OwnedMachine> {
    const before = decodeMachine(value);
    // If this owner fails before its first checkpoint, clients have seen a later state than the next owner finds.
    const record: MachineRecord = { ...before, owner, fence: 0, orderly: false };
    const claimed = await stores.records.write(key, encode(record), revision);
    return new OwnedMachine(stores, record, claimed, before.orderly);
  }

  /**
   * The checkpoint that counts, to be read after the claim: no other can count from then on. Undefined if its first owner
   * had written none, and had acknowledged nothing. Throws `MissingCheckpoint`.
   */
  async read(): Promise<Uint8Array | undefined> {
    const { checkpoint } = this.#record;
    if (checkpoint === '') return undefined;
    const entry = await this.stores.checkpoints.get(checkpoint);
    if (!entry) throw new MissingCheckpoint(checkpoint);
    return entry.value;
  }

  /** Makes a checkpoint the one that counts. The one before it stays until the next. Throws `Conflict` or `Unsettled`. */
  async commit(contents: Uint8Array): Promise<void> {
    const checkpoint = checkpointKey(this.name, this.fence, this.#number++);
    await this.stores.checkpoints.write(checkpoint, contents, 0);
    const [before, last] = [this.#previous, this.#record.checkpoint];
    await this.#update({ ...this.#record, checkpoint, orderly: false, failures: undefined });
    this.#previous = last;
    if (before !== '') this.#discard(before);
  }

  /** Makes the checkpoint before the last one count again. Throws as `commit`. */
  async revert(): Promise<void> {
    const { checkpoint: last } = this.#record;
    if (this.#previous === '') return;
    await this.#update({ ...this.#record, checkpoint: this.#previous });
    this.#previous = '';
    this.#discard(last);
  }

  /**
   * Gives the machine up: any node may claim it. `orderly`: after its last checkpoint; `failure`: it could not be started. Throws
   * as `commit`.
   */
  async release(orderly = true, failure?: FailedStart): Promise<Entry> {
    const { failures: before } = this.#record;
    const failures = failure ? withFailure(before, failure) : before;
    const record: MachineRecord = { ...this.#record, owner: undefined, orderly, failures };
    await this.#update(record);
    return { key: this.#key, value: encode(record), revision: this.#revision };
  }

  /** Takes a machine back that was released, unless another node was first: then it throws `Conflict`. */
  async reclaim(owner: NodeLife): Promise<void> {
    await this.#update({ ...this.#record, owner, fence: 0, orderly: false });
    this.#record = { ...this.#record, fence: this.#revision };
    // It has an earlier fence, and may be collected.
    this.#previous = '';
  }

  /** Removes the machine. Throws as `commit`. */
  async delete(): Promise<void> {
    await this.stores.records.delete(this.#key, this.#revision);
    for (const key of [this.#previous, this.#record.checkpoint]) if (key !== '') this.#discard(key);
  }

  async #update(record: MachineRecord): Promise<void> {
    this.#revision = await this.stores.records.write(this.#key, encode(record), this.#revision);
    this.#record = record;
  }

  /** Checkpoints that cannot be removed now are orphans, which the steward collects. */
  #discard(checkpoint: string): void {
    this.stores.checkpoints.store.remove(checkpoint).catch(() => {});
  }
}

/**
 * Whether a checkpoint counts no longer and never will: its machine is gone, or has had another owner since, or a later
 * checkpoint. The keys are listed before the records.
 */
export function isOrphan(checkpoint: string, record: MachineRecord | undefined, revision: number): boolean {
  if (!record) return true;
  if (checkpoint === record.checkpoint) return false;
  const fence = record.fence || revision;
  if (fenceOf(checkpoint) !== fence) return fenceOf(checkpoint) < fence;
  // The one before the last is kept for its owner.
  return numberOf(checkpoint) < numberOf(record.checkpoint) - 1 && fenceOf(record.checkpoint) === fence;
}

function numberOf(checkpoint: string): number {
  return Number(checkpoint.split('.').at(-1));
}

/** The part of a checkpoint's key that names its machine. */
export function machineOf(checkpoint: string): string {
  return checkpoint.slice(0, checkpoint.lastIndexOf('.', checkpoint.lastIndexOf('.') - 1));
}
