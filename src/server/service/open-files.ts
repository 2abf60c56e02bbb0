import { readFileSync } from 'node:fs';
import type { Configuration } from '../../config/schema.js';
import { SouthbridgeError } from '../../errors.js';

/** Files and pipes that are open while the server starts, and that each thread holds: measured, and rounded up. */
const PROCESS_FILES = 144;
const THREAD_FILES = 8;

/** How many files this process may have open; undefined if the system does not say. */
export function openFileLimit(): number | undefined {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

/** How many files a server needs beside its connections. */
export function filesBeside({ vcpuThreads }: Pick<Configuration, 'vcpuThreads'>): number {
  return PROCESS_FILES + THREAD_FILES * vcpuThreads;
}

/** Throws `too-few-files` unless a server can start. */
export function requireFiles(configuration: Configuration, limit = openFileLimit()): void {
  const needed = filesBeside(configuration);
  if (limit !== undefined && limit < needed) throw new SouthbridgeError('too-few-files', { limit, needed });
}

/** How many connections can be open at a time: `limits.sockets`, or as many as leave files for everything else. */
export function socketsFor(configuration: Configuration, limit = openFileLimit()): number {
  const { sockets } = configuration.limits;
  return limit === undefined ? sockets : Math.max(1, Math.min(sockets, limit - filesBeside(configuration)));
}
