import type { TraceRecord } from '../memory/trace-ring.js';

/** What one thread did in a machine. */
export interface ThreadRecords {
  readonly name: string;
  /** In the order in which they were written, which is that of time. */
  readonly records: readonly TraceRecord[];
  /** Records before these that were overwritten; they may have been of other machines that are traced. */
  readonly overwritten: number;
}

/** What all threads did in a machine since it was last begun to be traced. Times are host time in ns, of one clock. */
export interface MachineTrace {
  /** When tracing was turned on. */
  readonly from: number;
  /** When this was read: what has no end by then is still going on. */
  readonly until: number;
  /** By number, which records name. */
  readonly threads: ReadonlyMap<number, ThreadRecords>;
}
