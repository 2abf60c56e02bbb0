import { MAX_THREADS } from '../../core/sync/wait-graph.js';
import { traceRingWords } from './trace-ring.js';

/** Where the traces of all threads lie; part of `SharedMap`. */
export interface TraceMap {
  /** Word address. */
  readonly traceRings: number;
  /** Records of each ring; 0 where nothing can be traced. */
  readonly traceRecords: number;
}

/** Words of the rings of all threads; of those that write nothing, none is touched. */
export function traceWords(records: number): number {
  return MAX_THREADS * traceRingWords(records);
}

export function traceRingAt(map: TraceMap, thread: number): number {
  return map.traceRings + thread * traceRingWords(map.traceRecords);
}
