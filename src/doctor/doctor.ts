import { readFileSync } from 'node:fs';
import type { Configuration } from '../config/schema.js';
import type { Check } from './check.js';
import { coresCheck, usableCores } from './cores.js';
import { stateDirCheck, tlsCheck, tokenFileCheck } from './files.js';
import { availableMemory, canReserve, memoryCheck, memoryNeeds } from './memory.js';
import { nodeCheck } from './node.js';
import { portCheck } from './port.js';
import { measureTimers, timersCheck } from './timers.js';

/** Looks at all that a server with this configuration depends on, and changes nothing. */
export async function examine(configuration: Configuration): Promise<Check[]> {
  const { engines } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  const needs = memoryNeeds(configuration);
  return [
    nodeCheck(process.versions.node, engines.node, new Date().toISOString().slice(0, 10)),
    coresCheck(usableCores(), configuration.vcpuThreads),
    timersCheck(measureTimers()),
    await portCheck(configuration),
    memoryCheck(needs, availableMemory(), canReserve(needs.reserved)),
    ...(await stateDirCheck(configuration)),
    tokenFileCheck(configuration),
    ...tlsCheck(configuration, Date.now()),
  ];
}
