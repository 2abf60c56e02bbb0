import { availableParallelism } from 'node:os';
import { type Check, ok, readText, warn } from './check.js';

/** Beside the vCPU threads: the gateway and the main loop. */
const OTHER_THREADS = 2;

/** Cores that this process may use: of the machine, and by the quota of its control group (Linux, version 2). */
export function usableCores(): number {
  const [quota, period] = (readText('/sys/fs/cgroup/cpu.max') ?? 'max').trim().split(' ').map(Number);
  const allowed = quota > 0 && period > 0 ? quota / period : Number.POSITIVE_INFINITY;
  return Math.min(availableParallelism(), allowed);
}

export function coresCheck(cores: number, vcpuThreads: number): Check {
  const name = 'cores';
  const threads = vcpuThreads + OTHER_THREADS;
  const number = Number.isInteger(cores) ? String(cores) : cores.toFixed(1);
  const found = `${number} for ${threads} threads (gateway, main loop, ${vcpuThreads} for vCPUs)`;
  if (cores < 2) {
    return warn(name, found, 'Threads wait for a core and not for locks: do not trust what you measure with one core.');
  }
  if (threads > cores) {
    const most = Math.floor(cores) - OTHER_THREADS;
    const advice =
      most >= 1
        ? `Set vcpuThreads to ${most} or less, or add cores.`
        : `Give it ${threads} cores for work with deadlines.`;
    return warn(name, found, `${advice} With fewer cores than threads, a busy thread delays the timers.`);
  }
  return ok(name, found);
}
