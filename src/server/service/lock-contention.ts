import { type LockEdge, threadName } from '../../runtime/statistics/lock-view.js';
import {
  ACCESSES,
  DEADLOCKS_BROKEN,
  DEADLOCKS_HUNG,
  ORDER_INVERSIONS,
} from '../../runtime/statistics/statistics-layout.js';
import type { LockRow } from '../../runtime/statistics/statistics-reader.js';
import type { MachineHandle } from './machine-handle.js';

/**
 * What the threads counted about a machine's locks since the server started. Counts never fall: who wants a rate
 * subtracts two answers and divides by the difference of their `at`.
 */
export function describeContention(machine: MachineHandle) {
  const { engine, options } = machine;
  const { statistics } = engine;
  const slot = options.statistics?.slot ?? 0;
  const sum = (counter: number) => statistics.sum(slot, counter);
  return {
    /** Host time in ns. */
    at: engine.shared.hostTime(),
    accesses: { read: sum(ACCESSES), write: sum(ACCESSES + 1) },
    deadlocks: { broken: sum(DEADLOCKS_BROKEN), hung: sum(DEADLOCKS_HUNG) },
    inversions: sum(ORDER_INVERSIONS),
    sites: statistics.locks(slot).map((row) => describeRow(machine, row)),
  };
}

/** Times are in ns. */
function describeRow({ engine }: MachineHandle, row: LockRow) {
  const { lock, site, acquired, contended, tryFailed, wait, longestWait } = row;
  return {
    lock,
    site,
    acquired,
    contended,
    tryFailed,
    waits: wait.count,
    waited: wait.sum,
    longestWait: longestWait
      ? {
          waited: longestWait.duration,
          holder: longestWait.thread === 0 ? null : threadName(longestWait.thread, engine.map),
          holderSite: longestWait.thread === 0 ? null : longestWait.site,
        }
      : null,
  };
}

/** The order graph in the DOT language. */
export function orderToDot(edges: readonly LockEdge[]): string {
  const lines = edges.map(
    ({ outer, inner, site, thread }) => `  "${outer}" -> "${inner}" [label="${site} (${thread})"];`,
  );
  return `digraph locks {\n${lines.join('\n')}\n}\n`;
}
