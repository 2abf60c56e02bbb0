import { SouthbridgeError } from '../../errors.js';
import { within } from '../../runtime/promises.js';
import type { UnstartableMachine } from '../service/cluster-port.js';
import { unstartable } from './directory.js';
import type { EventPublishers } from './events/event-publishers.js';
import { isUnstartable } from './failed-starts.js';
import type { ClusterNode } from './node.js';
import type { OwnedMachine } from './owned-machine.js';
import { decodeMachine, isSameLife, type MachineRecord, machineKey } from './records.js';
import { type ClusterStore, Conflict, type Entry, keyPart } from './store.js';

/** Deletions of configured machines, which the next node that has them configured must not make again. */
export const DELETED = 'deleted.';
/** For the store to answer. */
const ANSWER_MS = 2000;

const encoder = new TextEncoder();

/** Remembers the deletion of a machine, before it. */
export async function markDeleted(records: ClusterStore, machine: string): Promise<void> {
  const key = DELETED + keyPart(machine);
  if (!(await records.get(key))) await records.create(key, encoder.encode(machine));
}

/** What an operator may do with machines that no node can start. */
export class Unstartable {
  constructor(
    readonly node: ClusterNode,
    readonly publishers: Pick<EventPublishers, 'end'>,
  ) {}

  get #records(): ClusterStore {
    return this.node.parts.records;
  }

  /** Those that the steward names and that are still unstartable, with their last failures. */
  async list(): Promise<UnstartableMachine[]> {
    // For a moment two nodes may have a survey.
    const names = new Set([...this.node.members].flatMap(({ survey }) => survey?.names ?? []));
    const found = [...names].map(async (machine): Promise<UnstartableMachine | undefined> => {
      try {
        const entry = await within(ANSWER_MS, this.#records.get(machineKey(machine)), null);
        if (entry === undefined) return undefined;
        if (entry === null) throw new Error('no answer');
        const record = decodeMachine(entry.value);
        return this.#isUnstartable(record) ? { machine, ...unstartable(record).toJSON() } : undefined;
      } catch {
        const reason = 'NATS does not answer.';
        const failure = { node: '?', incarnation: '', code: 'cluster-not-answering', reason };
        return { machine, ...unstartable({ machine, failures: [failure] }).toJSON() };
      }
    });
    return (await Promise.all(found)).filter((each) => each !== undefined);
  }

  #isUnstartable(record: MachineRecord): boolean {
    const { members } = this.node;
    return !(record.owner && members.has(record.owner)) && isUnstartable(record, members);
  }

  async #read(machine: string): Promise<{ readonly entry: Entry; readonly record: MachineRecord }> {
    const entry = await answered(this.#records.get(machineKey(machine)));
    const record = entry && decodeMachine(entry.value);
    if (!entry || !record?.checkpoint) throw new SouthbridgeError('unknown-machine', { machine });
    return { entry, record };
  }

  /** Reads a machine that no node may start by itself, so that this node may change it. */
  async #readUnstartable(machine: string): Promise<Entry> {
    const { entry, record } = await this.#read(machine);
    if (!this.#isUnstartable(record)) throw new SouthbridgeError('machine-moved', { machine, retryAfter: 1 });
    return entry;
  }

  async startAgain(machine: string, node: string): Promise<void> {
    const target = [...this.node.members].find((lease) => lease.node === node);
    if (!target) throw new SouthbridgeError('unknown-node', { node, own: this.node.parts.node });
    const entry = await this.#readUnstartable(machine);
    if ((await this.node.parts.offer(target, [entry]).catch(() => 0)) > 0) return;
    const { record } = await this.#read(machine);
    const hasTried = record.failures?.some((failure) => isSameLife(failure, target));
    if (hasTried) throw unstartable(record);
    throw new SouthbridgeError('migration-refused', { machine, node });
  }

  async delete(machine: string): Promise<void> {
    const entry = await this.#readUnstartable(machine);
    try {
      await this.#end(await this.node.take(entry));
    } catch (error) {
      if (error instanceof Conflict) throw new SouthbridgeError('machine-moved', { machine, retryAfter: 1 });
      throw notAnswering(error);
    }
  }

  /** Deletes a machine that this node has claimed for that. If it cannot, the machine is unstartable as before. */
  async #end(owned: OwnedMachine): Promise<void> {
    try {
      // Its events end under a fence of this node.
      await this.publishers.end(owned);
      // Any node may have it configured.
      await markDeleted(this.#records, owned.name);
      await owned.delete();
    } catch (error) {
      await owned.release(owned.isOrderly).catch(() => {});
      throw error;
    }
  }
}

async function answered<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw notAnswering(error);
  }
}

function notAnswering(error: unknown): SouthbridgeError {
  return new SouthbridgeError('cluster-not-answering', { reason: String((error as Error).message) });
}
