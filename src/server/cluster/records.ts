import { keyPart } from './store.js';

/** One life of a node's process in the cluster. A node that lost its lease goes on under a new incarnation. */
export interface NodeLife {
  readonly node: string;
  readonly incarnation: string;
}

/** Room of a node for machines. */
export interface Room {
  /** Machines that it can accept. */
  readonly machines: number;
  /** Part of its time that is in use, 0 to 1. */
  readonly load: number;
}

/** Lease of a node, under the key `lease.<node>.<incarnation>`. A lease that is closed has no record. */
export interface LeaseRecord extends NodeLife {
  /** Grows with each renewal, so that no two records are equal. */
  readonly count: number;
  /** URL under which clients and nodes reach it. */
  readonly address: string;
  readonly room: Room;
  /** How many machines it owns. */
  readonly machines: number;
  /** The node accepts no machines and releases its own. */
  readonly draining: boolean;
  /** What the steward found last; undefined for other nodes. */
  readonly survey?: Survey | undefined;
}

/** Machines that no node runs. */
export interface Survey {
  /** Those that wait for a node. */
  readonly withoutOwner: number;
  /** Those that failed to start so often that no node tries again by itself. */
  readonly unstartable: number;
  /** Names of the first of them. */
  readonly names: readonly string[];
}

/** A life of a node that could not start a machine from the checkpoint that counts. */
export interface FailedStart extends NodeLife {
  readonly code: string;
  readonly reason: string;
}

/** The machine of a name, under the key `machine.<name>`: its owner, and the checkpoint that counts. */
export interface MachineRecord {
  readonly machine: string;
  /** Undefined if its last owner released it. */
  readonly owner: NodeLife | undefined;
  /** Revision of the claim: of this record, if 0. Every later owner has a greater one. */
  readonly fence: number;
  /** Key of the checkpoint. Empty until the first is written: no client knows of the machine until then. */
  readonly checkpoint: string;
  /** Whether the checkpoint has the last state: the owner released the machine in order. */
  readonly orderly: boolean;
  /** Since the last checkpoint; undefined if there were none. */
  readonly failures?: readonly FailedStart[] | undefined;
}

export const LEASES = 'lease.';
export const MACHINES = 'machine.';

export function leaseKey({ node, incarnation }: NodeLife): string {
  return `${LEASES}${keyPart(node)}.${keyPart(incarnation)}`;
}

export function machineKey(machine: string): string {
  return MACHINES + keyPart(machine);
}

/** All checkpoints of a machine begin with this. */
export function checkpointsOf(machine: string): string {
  return `checkpoint.${keyPart(machine)}.`;
}

export function checkpointKey(machine: string, fence: number, number: number): string {
  return `${checkpointsOf(machine)}${fence}.${number}`;
}

/** The fence that a checkpoint was written under. */
export function fenceOf(checkpoint: string): number {
  return Number(checkpoint.split('.').at(-2));
}

export function isSameLife(a: NodeLife | undefined, b: NodeLife | undefined): boolean {
  return a?.node === b?.node && a?.incarnation === b?.incarnation;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encode(record: LeaseRecord | MachineRecord): Uint8Array {
  return encoder.encode(JSON.stringify(record));
}

export function decodeLease(value: Uint8Array): LeaseRecord {
  return JSON.parse(decoder.decode(value));
}

export function decodeMachine(value: Uint8Array): MachineRecord {
  return JSON.parse(decoder.decode(value));
}
