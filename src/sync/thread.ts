import { Area } from '../memory/layout.js';
import type { Memory } from '../memory/memory.js';
import type { LockStatistics } from './statistics.js';

/** Threads are numbered from 1; 0 means no thread. A lock word holds the number of its owner. */
export const MAX_THREADS = 64;

/**
 * What every thread can see of every other: absolute words at the start of memory.
 * WAITING_FOR[n] is the absolute address of the lock that thread n is blocked on, or 0.
 */
const AREA = new Area('threads', 16, 16 + MAX_THREADS);
export const WAITING_FOR = AREA.words('waitingFor', MAX_THREADS, 'sync');
export const THREADS_AREA = AREA;

/** The part of a path that takes a lock: contention is told by call site, because callers cause waiting, not locks. */
export const CALL_SITES = [
  'mmio-read',
  'mmio-write',
  'timer-callback',
  'irq-update',
  'deferred-flush',
  'main-loop',
  'control',
] as const;
export type CallSite = (typeof CALL_SITES)[number];

/** What belongs to one thread of execution and to no machine. */
export class Thread {
  constructor(
    readonly id: number,
    /** Memory with base 0: the thread table and the rings. */
    readonly shared: Memory,
    readonly statistics: LockStatistics,
  ) {}
}
