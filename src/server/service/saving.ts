import { CONTROL_RESTORE, CONTROL_SAVE } from '../../core/machine/control-path.js';
import { SouthbridgeError } from '../../errors.js';
import type { MachineHandle } from './machine-handle.js';
import {
  endOfClock,
  MAX_SEQUENCE,
  readSaved,
  requireFits,
  SNAPSHOT_VERSION,
  type Snapshot,
  savedLines,
  writeSaved,
} from './snapshot.js';

/** The machine at one moment, in which `keep` is called; then later changes are noticed from there on. */
export function save(machine: MachineHandle, keep?: () => void): Promise<Snapshot> {
  return machine.quiesce(() => saveQuiesced(machine, keep));
}

async function saveQuiesced(machine: MachineHandle, keep?: () => void): Promise<Snapshot> {
  if (keep) machine.changed = false;
  let snapshot: Snapshot | undefined;
  const after = (at: number) => {
    snapshot = saved(machine, at);
    keep?.();
  };
  await machine.slot.transfer(CONTROL_SAVE, 0, () => {}, after);
  if (!snapshot) throw machine.gone();
  return snapshot;
}

/**
 * The machine as it ends here: stops its clock, and executes no request after the snapshot. If `leave` resolves, the machine
 * continues elsewhere, and requests that wait are refused; otherwise it goes on as if nothing had happened.
 */
export function saveLast(
  machine: MachineHandle,
  keep: () => void,
  leave: (snapshot: Snapshot) => Promise<void>,
): Promise<void> {
  return machine.quiesce(async () => {
    const { isTicking } = machine;
    await machine.stopClock();
    try {
      await leave(await saveQuiesced(machine, keep));
      machine.moved();
    } catch (error) {
      machine.changed = true;
      if (isTicking && machine.isOpen) await machine.startClock();
      throw error;
    }
  });
}

function saved(machine: MachineHandle, at: number): Snapshot {
  const state = readSaved(machine.engine.shared, at);
  return {
    version: SNAPSHOT_VERSION,
    takenAt: wallTimeOf(machine, Number(state.virtualTime)),
    config: structuredClone(machine.config) as unknown as Snapshot['config'],
    sequence: String(Math.min(machine.events.sequence, MAX_SEQUENCE)),
    intr: machine.events.intr ? 1 : 0,
    ...state,
  };
}

/** When it was this virtual time, a moment ago; in milliseconds since 1970, and not before. */
function wallTimeOf(machine: MachineHandle, virtualTime: number): number {
  const since = machine.isTicking ? (machine.virtualTime - virtualTime) / 1e6 : 0;
  return Math.max(0, Math.floor(Date.now() - Math.max(0, since)));
}

export interface RestoreOptions {
  /** Whether vCPUs and subscribers may be connected: they then get the levels of lines and INTR. */
  readonly isServed?: boolean;
  /** Runs while no request is inside the machine, before anything of it changes. */
  readonly before?: (loaded: Snapshot) => Promise<void>;
  /** Runs when the state is loaded, before its clock goes on. */
  readonly loaded?: () => void;
}

/**
 * Makes the machine what it was at a snapshot. Its clock goes on from there, or (`jump`), if it ticks, from as much
 * later as has passed since by the wall clock; a wall clock that went back counts as one that stood. A machine in which
 * threads hang or died is rebuilt first. Throws as `requireFits`, `jump-too-far`, or as `before`, and then nothing has
 * changed.
 */
export async function restore(
  machine: MachineHandle,
  snapshot: Snapshot,
  counter: 'continue' | 'jump',
  { isServed = false, before, loaded }: RestoreOptions = {},
): Promise<void> {
  if (machine.state === 'deleting') throw machine.gone();
  requireFits(snapshot, machine.config);
  const passed = counter === 'jump' && machine.isTicking ? Math.max(0, Date.now() - snapshot.takenAt) : 0;
  const time = Number(snapshot.virtualTime) + passed * 1e6;
  if (time > endOfClock(machine.config)) {
    throw new SouthbridgeError('jump-too-far', { machine: machine.name, ms: passed });
  }
  const prepare = async () => before?.(asLoaded(machine, snapshot, time));
  const work = async () => {
    const { isTicking } = machine;
    // An event of the new state must not be numbered, or delivered, as one of the state before.
    await machine.stopClock();
    await load(machine, snapshot, time);
    if (isServed) machine.events.restored(Number(snapshot.sequence), Math.max(0, Date.now() - snapshot.takenAt));
    loaded?.();
    if (isTicking) await machine.startClock();
  };
  if (machine.isHung) await machine.rebuild(work, prepare);
  else await machine.quiesce(() => prepare().then(work));
}

/** What `save` returns right after the snapshot was loaded. */
function asLoaded(machine: MachineHandle, snapshot: Snapshot, time: number): Snapshot {
  return {
    ...snapshot,
    takenAt: Date.now(),
    config: structuredClone(machine.config) as unknown as Snapshot['config'],
    sequence: String(Math.min(Math.max(machine.events.sequence, Number(snapshot.sequence)), MAX_SEQUENCE)),
    virtualTime: String(time),
  };
}

async function load(machine: MachineHandle, snapshot: Snapshot, time: number): Promise<void> {
  const before = (at: number) => writeSaved(machine.engine.shared, at, snapshot);
  if (!(await machine.slot.transfer(CONTROL_RESTORE, time, before, () => {}))) throw machine.gone();
  machine.events.intr = snapshot.intr;
  machine.events.lines = savedLines(snapshot);
  machine.events.sequence = Math.max(machine.events.sequence, Number(snapshot.sequence));
  machine.changed = true;
}
