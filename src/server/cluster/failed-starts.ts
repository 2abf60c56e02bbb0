import { type FailedStart, isSameLife, type LeaseRecord, type MachineRecord, type NodeLife } from './records.js';

/** Lives of nodes that may fail to start a machine before it is unstartable. */
export const MOST_FAILED = 3;
const LONGEST_REASON = 300;

/** Codes that say nothing about the checkpoint: another node may have room, or this one a moment later. */
const OF_THE_NODE = ['too-many-machines', 'machine-exists', 'machine-closing'];

/** Why a machine could not be started; undefined if its checkpoint is not the reason. */
export function failedStart({ node, incarnation }: NodeLife, error: unknown): FailedStart | undefined {
  const { code = 'internal', message = String(error) } = error as { code?: string; message?: string };
  if (OF_THE_NODE.includes(code)) return undefined;
  return { node, incarnation, code, reason: message.slice(0, LONGEST_REASON) };
}

/** The failures of each life, its last one only. */
export function withFailure(failures: readonly FailedStart[] = [], failure: FailedStart): readonly FailedStart[] {
  return [...failures.filter((before) => !isSameLife(before, failure)), failure].slice(-MOST_FAILED);
}

/** The nodes on which a machine has not failed to start. */
export function nodesFor({ failures = [] }: MachineRecord, members: Iterable<LeaseRecord>): LeaseRecord[] {
  return [...members].filter((member) => !failures.some((failure) => isSameLife(failure, member)));
}

/**
 * Whether no node tries to start a machine without an owner by itself: `MOST_FAILED` lives have failed, or every node that
 * takes machines has.
 */
export function isUnstartable(record: MachineRecord, members: Iterable<LeaseRecord>): boolean {
  const { failures = [] } = record;
  if (failures.length === 0) return false;
  if (failures.length >= MOST_FAILED) return true;
  const taking = [...members].filter(({ draining }) => !draining);
  return taking.length > 0 && nodesFor(record, taking).length === 0;
}
