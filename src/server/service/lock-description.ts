import { CALL_SITES } from '../../core/sync/call-sites.js';
import { threadName } from '../../runtime/memory/shared-map.js';
import {
  ACCESS_TIME,
  ACCESSES,
  BUCKET_BOUNDS,
  DEADLOCKS_BROKEN,
  DEADLOCKS_HUNG,
  histogramAt,
  ORDER_INVERSIONS,
} from '../../runtime/memory/statistics-layout.js';
import type { LockEdge, WaitInProgress } from '../../runtime/statistics/lock-view.js';
import type { Durations, LockRow } from '../../runtime/statistics/slot-totals.js';
import { isOwnSlot } from '../../runtime/statistics/statistics-slots.js';
import type { MachineHandle } from './machine-handle.js';

/**
 * What the threads counted about a machine's locks since it was made, or about those of all machines that it shares its
 * metrics with. Counts never fall while the machine exists: subtract two answers and divide by the difference of their
 * `at` for a rate.
 */
export function describeContention(machine: MachineHandle) {
  const { engine, options } = machine;
  const statisticsSlot = options.statistics?.slot ?? 0;
  const totals = engine.statistics.totals(statisticsSlot);
  const waits = engine.lockView.waits().filter(({ slot }) => slot === options.slot);
  return {
    /** Host time in ns. */
    at: engine.shared.hostTime(),
    metrics: isOwnSlot(statisticsSlot) ? 'own' : 'shared',
    accesses: { read: totals.count(ACCESSES), write: totals.count(ACCESSES + 1) },
    /** ns, of the sampled accesses: the bound of the histogram bucket that the quantile lies in. */
    accessTime: {
      read: quantilesOf(totals.durations(ACCESS_TIME)),
      write: quantilesOf(totals.durations(histogramAt(ACCESS_TIME, 1))),
    },
    deadlocks: { broken: totals.count(DEADLOCKS_BROKEN), hung: totals.count(DEADLOCKS_HUNG) },
    inversions: totals.count(ORDER_INVERSIONS),
    sites: totals.locks().map((row) => describeRow(machine, row, waits)),
  };
}

function quantilesOf({ buckets, count }: Durations) {
  const bound = (quantile: number) => {
    let seen = 0;
    const bucket = buckets.findIndex((each) => {
      seen += each;
      return seen >= quantile * count;
    });
    return count === 0 ? null : (BUCKET_BOUNDS[bucket] ?? null);
  };
  return { count, p50: bound(0.5), p99: bound(0.99) };
}

/** Times are in ns. */
function describeRow({ engine }: MachineHandle, row: LockRow, all: readonly WaitInProgress[]) {
  const { lock, site, acquired, contended, tryFailed, wait, longestWait } = row;
  const waits = all.filter((each) => each.lock === lock && each.site === site);
  return {
    lock,
    site,
    acquired,
    contended,
    tryFailed,
    waits: wait.count,
    waited: wait.sum,
    /** Waits of this machine that have not ended, and the longest of them so far. */
    waiting: { threads: waits.length, longest: Math.max(0, ...waits.map(({ waited }) => waited)) },
    longestWait: longestWait
      ? {
          waited: longestWait.duration,
          holder: longestWait.thread === 0 ? null : threadName(longestWait.thread, engine.map, engine.shared),
          holderSite: longestWait.thread === 0 ? null : longestWait.site,
        }
      : null,
  };
}

/** Owners and waiters of a machine's locks, its deferred line changes and its Xen filter. Takes no lock. */
export function describeLocks(machine: MachineHandle) {
  const { engine, options, slot } = machine;
  return { locks: engine.lockView.state(options.slot), deferred: slot.deferred(), xen: describeXen(machine) };
}

function describeXen({ engine, slot }: MachineHandle) {
  const xen = slot.xen();
  if (!xen) return null;
  const { form, gsi, failures } = xen;
  return {
    form,
    gsi,
    failures: failures?.count ?? 0,
    last: failures
      ? { site: CALL_SITES[failures.site], thread: threadName(failures.thread, engine.map, engine.shared) }
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
