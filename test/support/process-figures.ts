import { readdirSync, readFileSync } from 'node:fs';

/** What the kernel says of a process; Linux only. */
export interface ProcessFigures {
  /** Resident memory, MiB. */
  readonly residentMiB: number;
  /** Open files, sockets and the like. */
  readonly descriptors: number;
  readonly threads: number;
}

export function processFigures(pid: number): ProcessFigures {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const number = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return {
    residentMiB: number('VmRSS') / 1024,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    threads: number('Threads'),
  };
}
