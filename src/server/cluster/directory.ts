import { SouthbridgeError } from '../../errors.js';
import { within } from '../../runtime/promises.js';
import type { Owner } from '../service/cluster-port.js';
import { isUnstartable } from './failed-starts.js';
import type { Members } from './members.js';
import { decodeMachine, type MachineRecord, machineKey } from './records.js';
import type { ClusterStore } from './store.js';

/** Owners that are kept; the one that was read longest ago is forgotten first. */
const KEPT = 10_000;
/** For the store to answer. */
const ANSWER_MS = 2000;
/** Seconds after which a client may ask again for a machine without an owner. */
const RETRY_AFTER = 1;

/** Which nodes have the machines. What is kept may be late: the node that had the machine refuses then, and executes nothing. */
export class Directory {
  readonly #kept = new Map<string, Owner>();

  constructor(
    readonly records: ClusterStore,
    readonly members: Members,
  ) {}

  /**
   * The owner of a machine; `isFresh`: as the store has it now. Throws `unknown-machine`, `machine-unstartable`, and
   * `owner-unknown` while it has none or the store does not answer.
   */
  async ownerOf(machine: string, isFresh: boolean): Promise<Owner> {
    const kept = this.#kept.get(machine);
    if (kept && !isFresh && this.members.has(kept)) return kept;
    this.#kept.delete(machine);
    const owner = await this.#read(machine);
    this.#kept.set(machine, owner);
    if (this.#kept.size > KEPT) this.#kept.delete(this.#kept.keys().next().value as string);
    return owner;
  }

  async #read(machine: string): Promise<Owner> {
    const silent = Symbol('silent');
    const entry = await within(ANSWER_MS, this.records.get(machineKey(machine)), silent).catch(() => silent);
    if (typeof entry === 'symbol') throw unknown(machine, 'NATS does not answer');
    const record = entry && decodeMachine(entry.value);
    // A machine without a checkpoint is being made.
    if (!entry || !record?.checkpoint) throw new SouthbridgeError('unknown-machine', { machine });
    const member = record.owner && this.members.get(record.owner);
    if (!member && isUnstartable(record, this.members)) throw unstartable(record);
    if (!member) throw unknown(machine, 'it is between two nodes');
    const { node, incarnation, address } = member;
    return { node, incarnation, address, fence: record.fence || entry.revision };
  }
}

/** The refusal of a machine that no node can start. */
export function unstartable({
  machine,
  failures = [],
}: Pick<MachineRecord, 'machine' | 'failures'>): SouthbridgeError<'machine-unstartable'> {
  const { node, code, reason } = failures[failures.length - 1] ?? { node: '', code: 'internal', reason: '' };
  return new SouthbridgeError('machine-unstartable', { machine, node, cause: code, reason, failures });
}

function unknown(machine: string, reason: string): SouthbridgeError {
  return new SouthbridgeError('owner-unknown', { machine, reason, retryAfter: RETRY_AFTER });
}
