import { totalmem } from 'node:os';
import type { Configuration } from '../config/schema.js';
import { machineAt, sharedMap } from '../runtime/memory/shared-map.js';
import { traceRingWords } from '../runtime/memory/trace-ring.js';
import { StatisticsSlots } from '../runtime/statistics/statistics-slots.js';
import { type Check, fail, ok, warn } from './check.js';

const MIB = 2 ** 20;
const WORD_BYTES = 4;
/** Node with what a server loads, and each of its threads: what `southbridge serve` was seen to take, rounded up. */
const PROCESS_BYTES = 120 * MIB;
const THREAD_BYTES = 12 * MIB;
/** Of a machine beside its words: what the gateway keeps of it. */
const MACHINE_BYTES = 16 * 1024;
/** Rings of the engine, as it makes them. */
const SUBMISSIONS = 1024;
const EVENTS = 16_384;

export interface MemoryNeeds {
  /** Bytes with the configured machines. */
  readonly configured: number;
  /** Bytes with as many machines as `limits.machines` allows, of which some are traced. */
  readonly most: number;
  /** Bytes of address space that are reserved at the start. */
  readonly reserved: number;
}

export function memoryNeeds({ vcpuThreads, limits, machines }: Configuration): MemoryNeeds {
  const map = sharedMap({
    machines: limits.machines,
    vcpuThreads,
    submissions: SUBMISSIONS,
    events: EVENTS,
    statisticsSlots: new StatisticsSlots(limits.measuredMachines).capacity,
    traceRecords: limits.traceRecords,
  });
  const threads = vcpuThreads + 2;
  const each = (machineAt(map, 1) - machineAt(map, 0)) * WORD_BYTES + MACHINE_BYTES;
  const process = PROCESS_BYTES + threads * THREAD_BYTES;
  return {
    configured: process + machines.length * each,
    most: process + limits.machines * each + threads * traceRingWords(limits.traceRecords) * WORD_BYTES,
    reserved: map.words * WORD_BYTES,
  };
}

/** Bytes that this process could still get; a limit of its control group counts. */
export function availableMemory(): number {
  // Node 20.19 does not know it in its types, and has it.
  const { availableMemory } = process as { availableMemory?: () => number };
  return availableMemory?.() ?? totalmem();
}

/** Whether so many bytes of address space can be had; none of them is touched. */
export function canReserve(bytes: number): boolean {
  try {
    return new SharedArrayBuffer(bytes).byteLength === bytes;
  } catch {
    return false;
  }
}

export function memoryCheck(needs: MemoryNeeds, available: number, reservable: boolean): Check {
  const name = 'memory';
  const mib = (bytes: number) => `${Math.ceil(bytes / MIB)} MiB`;
  const found = `${mib(available)} available; about ${mib(needs.configured)} are needed, ${mib(needs.most)} with all machines that limits.machines allows`;
  if (!reservable) {
    const advice = `The ${mib(needs.reserved)} of address space cannot be reserved: raise ulimit -v, or lower limits.machines.`;
    return fail(name, found, advice);
  }
  if (available < needs.configured) return fail(name, found, 'Free some, or raise the limit of the container.');
  if (available < needs.most) return warn(name, found, 'Lower limits.machines and limits.traceRecords, or add memory.');
  return ok(name, found);
}
