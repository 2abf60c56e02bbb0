import { SouthbridgeError } from '../../errors.js';
import type { MachineHandle } from '../service/machine-handle.js';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint, requireReadable } from '../state/checkpoint.js';
import type { CheckpointStorage, Found } from '../state/storage.js';
import type { EventPublishers } from './events/event-publishers.js';
import type { ClusterNode } from './node.js';
import type { OwnedMachine } from './owned-machine.js';
import { Unsettled } from './settled-write.js';
import { type ClusterStore, Conflict, keyPart } from './store.js';
import { DELETED, markDeleted } from './unstartable.js';

const decoder = new TextDecoder();

/** Checkpoints of the machines that this node owns, in the store that all nodes share. Every write is durable at once. */
export class ClusterStorage implements CheckpointStorage {
  readonly maySend: () => boolean;

  constructor(
    readonly path: string,
    readonly node: ClusterNode,
    readonly records: ClusterStore,
    /** Starts what brings offers of other nodes; resolves to what ends it. */
    readonly serve: () => Promise<() => Promise<void>>,
    readonly events: EventPublishers,
  ) {
    this.maySend = () => node.isHeld;
  }

  created(machine: MachineHandle): void {
    this.events.made(machine);
  }

  #end: (() => Promise<void>) | undefined;

  /** Joins the cluster. Machines that exist come by offers of the steward, at the start as well. */
  async names() {
    this.#end = await this.serve();
    await this.node.start();
    const deleted = await this.records.list(DELETED);
    return { kept: [], deleted: deleted.map(({ value }) => decoder.decode(value)) };
  }

  async reserve(name: string): Promise<boolean> {
    try {
      await this.node.create(name);
      return true;
    } catch (error) {
      if (error instanceof Conflict) return false;
      throw error;
    }
  }

  async read(name: string): Promise<Found> {
    const contents = await this.node.get(name)?.read();
    return { checkpoint: contents && decodeCheckpoint(Buffer.from(contents), name), damaged: [] };
  }

  write(name: string, checkpoint: Checkpoint): Promise<number> {
    const owned = this.node.get(name);
    if (!owned) throw new SouthbridgeError('machine-moved', { machine: name });
    return this.#write(owned, checkpoint);
  }

  async commit(name: string, checkpoint: Checkpoint): Promise<number> {
    const owned = this.node.get(name) ?? (await this.#create(name));
    return this.#write(owned, checkpoint);
  }

  async #create(name: string): Promise<OwnedMachine> {
    try {
      const owned = await this.node.create(name);
      await this.records.remove(DELETED + keyPart(name));
      return owned;
    } catch (error) {
      if (error instanceof Conflict) throw new SouthbridgeError('machine-exists', { machine: name });
      throw codedError(name, error);
    }
  }

  async #write(owned: OwnedMachine, checkpoint: Checkpoint): Promise<number> {
    const contents = encodeCheckpoint(checkpoint);
    requireReadable(contents, this.path, owned.name);
    await this.#change(owned, () => owned.commit(contents));
    this.events.owns(owned);
    return contents.length;
  }

  async revert(name: string): Promise<void> {
    const owned = this.node.get(name);
    if (owned) await this.#change(owned, () => owned.revert());
  }

  async remove(name: string, tombstone: boolean): Promise<void> {
    const owned = this.node.get(name);
    if (!owned) return;
    if (tombstone) await markDeleted(this.records, name);
    await this.#change(owned, () => owned.delete());
    this.node.forget(owned);
  }

  /** The first change that fails shows that another node has the machine: then it ends here. */
  async #change(owned: OwnedMachine, change: () => Promise<void>): Promise<void> {
    try {
      await change();
    } catch (error) {
      if (error instanceof Conflict) this.node.disown(owned);
      throw codedError(owned.name, error);
    }
  }

  /** Other nodes may have the machine configured: only a machine of this name that is made again ends it. */
  async forgetDeletion(): Promise<void> {}

  /** A copy that nobody collects. */
  async setAside(name: string, why: string): Promise<string> {
    const contents = await this.node.get(name)?.read();
    const aside = `aside.${keyPart(name)}.${why}-${Date.now()}`;
    if (contents) await this.node.parts.checkpoints.create(aside, contents);
    return aside;
  }

  async hold(): Promise<boolean> {
    return true;
  }

  async probe(): Promise<void> {
    const key = `probe.${keyPart(this.node.parts.node)}`;
    await this.records.remove(key);
    await this.records.create(key, new Uint8Array());
  }

  async flush(): Promise<void> {}

  /** Every machine says by itself whether its last owner released it in order. */
  async takeShutdown(): Promise<boolean> {
    return false;
  }

  async markShutdown(): Promise<void> {
    await this.events.flushAll();
    await this.node.releaseAll();
  }

  async close(): Promise<void> {
    await this.node.close();
    await this.#end?.();
  }
}

function codedError(machine: string, error: unknown): unknown {
  if (error instanceof Conflict) return new SouthbridgeError('machine-moved', { machine });
  return error instanceof Unsettled ? new SouthbridgeError('change-unsettled', { machine }) : error;
}
