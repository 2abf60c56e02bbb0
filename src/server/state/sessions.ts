import type { Configuration } from '../../config/schema.js';
import { setLogicalId } from '../service/guest-requests.js';
import type { MachineHandle } from '../service/machine-handle.js';
import { VcpuSession } from '../streams/vcpu-session.js';
import type { Checkpoint } from './checkpoint.js';

/**
 * Event numbers that are skipped after a crash: fewer events than this were emitted since the last checkpoint, so that
 * no number is used twice. A subscriber that reconnects gets a gap.
 */
const SEQUENCE_STRIDE = 2 ** 36;

/** What a checkpoint has of the clients of a machine. */
export type Sessions = Pick<Checkpoint, 'vcpus' | 'epoch'>;

/** Gives the local APICs the addresses that a checkpoint has. */
export async function restoreAddresses(machine: MachineHandle, { vcpus }: Checkpoint): Promise<void> {
  for (const { vcpu } of machine.vcpus) {
    const saved = vcpus[vcpu];
    if (saved && saved.logicalId !== 0) await machine.ask((done) => setLogicalId(machine, vcpu, saved, done));
  }
}

/** As they are now; `isLast`: in the last checkpoint of a server. */
export function sessionsOf({ vcpus, events }: MachineHandle, isLast: boolean): Sessions {
  return { vcpus: vcpus.map((vcpu) => vcpu.saved(isLast)), epoch: events.origin };
}

/**
 * Makes what a checkpoint has of clients wait for them. `inOrder`: the server that wrote it ended right after, and the state
 * continues from there. Otherwise a new epoch begins: the crash rolled back later requests and events, and earlier events are
 * dropped.
 */
export function restoreSessions(
  machine: MachineHandle,
  { vcpus, epoch, snapshot }: Checkpoint,
  inOrder: boolean,
  { resumeGraceMs, limits }: Pick<Configuration, 'resumeGraceMs' | 'limits'>,
): void {
  const { events } = machine;
  const isSame = inOrder && epoch !== undefined;
  if (!inOrder) events.sequence += SEQUENCE_STRIDE;
  if (isSame) events.origin = epoch;
  else events.begin(Number(snapshot.sequence), Math.max(0, Date.now() - snapshot.takenAt));
  for (const [number, vcpu] of machine.vcpus.entries()) {
    const saved = vcpus[number];
    if (!saved) continue;
    vcpu.restore(saved, resumeGraceMs);
    vcpu.keep(saved.kept ?? [], isSame);
    if (!saved.session) {
      vcpu.isOlder = !isSame;
      continue;
    }
    const session = new VcpuSession(saved.session.name, machine, vcpu, limits, saved.session);
    if (!isSame) session.contained = session.applied;
    vcpu.session = session;
    vcpu.backlog.retains = true;
  }
}
