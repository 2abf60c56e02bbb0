import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import type { MachineConfig } from '../../config/machine.js';
import { SouthbridgeError } from '../../errors.js';
import { requireFits } from '../service/snapshot.js';
import type { Checkpoint, Origin } from './checkpoint.js';
import type { CheckpointStorage, SetAside } from './storage.js';

/** A machine to make at the start: with the state of a checkpoint, or as new. */
export interface Planned {
  readonly config: MachineConfig;
  readonly origin: Origin;
  readonly checkpoint: Checkpoint | undefined;
}

/**
 * Puts together what is kept and what is configured, by name. What was done over the API stays done: machines made or
 * deleted there. A configured machine whose configuration was changed since gets the new one, and its old state if that
 * fits. Nothing is thrown away: files that are not used are set aside and logged, and `damaged` is called with those
 * that cannot be read. Throws `checkpoint-version`.
 */
export async function plan(
  folder: CheckpointStorage,
  configured: readonly MachineConfig[],
  logger: Logger,
  damaged: (files: readonly SetAside[], isOther: boolean) => void,
): Promise<Planned[]> {
  const byName = new Map(configured.map((config) => [config.name, config]));
  const { kept, deleted } = await folder.names();
  const planned: Planned[] = [];
  for (const name of kept) {
    const { checkpoint, damaged: files } = await folder.read(name);
    damaged(files, checkpoint !== undefined);
    if (!checkpoint) continue;
    planned.push(await merge(folder, checkpoint, byName.get(name), logger));
    byName.delete(name);
  }
  for (const name of deleted) {
    if (planned.some(({ config }) => config.name === name)) continue;
    if (byName.delete(name)) logger.info({ machine: name }, `machine ${name} was deleted over the API, and stays so`);
    else await folder.forgetDeletion(name);
  }
  for (const config of byName.values()) {
    if (await folder.reserve(config.name)) planned.push({ config, origin: 'configuration', checkpoint: undefined });
  }
  return inOrderOf(configured, planned);
}

async function merge(
  folder: CheckpointStorage,
  checkpoint: Checkpoint,
  config: MachineConfig | undefined,
  logger: Logger,
): Promise<Planned> {
  const { origin } = checkpoint;
  const { name } = checkpoint.config;
  const asKept = { config: checkpoint.config, origin, checkpoint };
  if (!config) {
    if (origin === 'configuration') {
      logger.warn({ machine: name }, `machine ${name} is not configured any more; DELETE /v1/machines/${name} ends it`);
    }
    return asKept;
  }
  if (isDeepStrictEqual(config, checkpoint.config)) return asKept;
  if (origin === 'api') {
    logger.warn({ machine: name }, `machine ${name} was made over the API, and differs from the configured one`);
    return asKept;
  }
  try {
    requireFits(checkpoint.snapshot, config);
    return { config, origin, checkpoint: { ...checkpoint, bqlLoad: config.bql.load } };
  } catch (error) {
    if (!(error instanceof SouthbridgeError)) throw error;
    const aside = await folder.setAside(name, 'replaced');
    logger.warn({ machine: name, aside }, `machine ${name} is configured otherwise than before, and starts as new`);
    return { config, origin, checkpoint: undefined };
  }
}

/** Configured machines first, in the order of the configuration: the first have metrics of their own. */
function inOrderOf(configured: readonly MachineConfig[], planned: readonly Planned[]): Planned[] {
  const place = ({ config }: Planned) => {
    const index = configured.findIndex(({ name }) => name === config.name);
    return index < 0 ? configured.length : index;
  };
  return [...planned].sort((a, b) => place(a) - place(b));
}
