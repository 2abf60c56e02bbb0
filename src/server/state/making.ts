import type { Logger } from 'pino';
import type { Configuration } from '../../config/schema.js';
import { SouthbridgeError } from '../../errors.js';
import type { MachineHandle } from '../service/machine-handle.js';
import { restore } from '../service/saving.js';
import type { Snapshot } from '../service/snapshot.js';
import type { Checkpoint } from './checkpoint.js';
import { restoreAddresses, restoreSessions } from './sessions.js';

/**
 * Gives a new machine, which nobody uses yet, the state of a checkpoint. `inOrder`: it is the last state that anyone saw of
 * the machine.
 */
export async function makeAsIn(
  checkpoint: Checkpoint,
  machine: MachineHandle,
  inOrder: boolean,
  configuration: Pick<Configuration, 'stateCounter' | 'resumeGraceMs' | 'limits'>,
  logger: Logger,
): Promise<void> {
  const { snapshot } = checkpoint;
  const loaded = () => restoreSessions(machine, checkpoint, inOrder, configuration);
  if (checkpoint.paused) await machine.pause();
  await restoreAnyway(machine, snapshot, configuration.stateCounter, loaded, logger);
  machine.bqlLoad = checkpoint.bqlLoad;
  await restoreAddresses(machine, checkpoint);
}

/** A wall clock that is centuries ahead is wrong, and no reason to lose the machine or to keep the others waiting. */
async function restoreAnyway(
  machine: MachineHandle,
  snapshot: Snapshot,
  counter: Configuration['stateCounter'],
  loaded: () => void,
  logger: Logger,
): Promise<void> {
  try {
    await restore(machine, snapshot, counter, { loaded });
  } catch (error) {
    if (!(error instanceof SouthbridgeError) || error.code !== 'jump-too-far') throw error;
    const message = `${error.message} Its clock continues from the checkpoint.`;
    logger.error({ err: error, machine: machine.name }, message);
    await restore(machine, snapshot, 'continue', { loaded });
  }
}
