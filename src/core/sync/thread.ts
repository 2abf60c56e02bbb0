import type { Memory } from '../memory/memory.js';
import type { Statistics } from './statistics.js';
import type { Waiter, WaitGraph } from './wait-graph.js';

/** Records lock errors, on the thread that finds them and with locks held: it must only record. */
export interface LockReports {
  deadlock(cycle: readonly Waiter[], refused: boolean): void;
  orderInversion(machine: number, outer: number, inner: number, site: number): void;
}

/** The parts of one thread of execution that belong to no machine. */
export class Thread {
  constructor(
    readonly id: number,
    /** Memory with base 0: the thread table and the rings. */
    readonly shared: Memory,
    readonly statistics: Statistics,
    /** Without it a deadlock hangs undetected. */
    readonly waitGraph?: WaitGraph,
    readonly reports?: LockReports,
  ) {}
}
