import { threadName } from '../../../runtime/memory/shared-map.js';
import * as L from '../../../runtime/memory/statistics-layout.js';
import {
  type Family,
  lockCounter,
  lockHistogram,
  MACHINE,
  machineCounter,
  machineHistogram,
  waitingGauge,
} from '../family.js';

/** Locks: first the faults and waits of a whole machine, then every lock and call site. */
export const LOCKS: readonly Family[] = [
  machineHistogram(
    {
      name: 'southbridge_bql_reacquire_seconds',
      help: 'Time from the end of a timer callback without the BQL until the main loop holds the BQL again.',
    },
    L.REACQUIRE,
  ),
  machineHistogram(
    {
      name: 'southbridge_nested_wait_seconds',
      help: 'Time for which a thread held the device mutex while it waited for the BQL.',
    },
    L.NESTED_WAIT,
  ),
  machineCounter(
    {
      name: 'southbridge_deadlocks_total',
      help: 'Cycles of threads that wait for each other. broken: the server refused one of them its lock; hung: they wait indefinitely.',
    },
    { broken: L.DEADLOCKS_BROKEN, hung: L.DEADLOCKS_HUNG },
    'outcome',
  ),
  machineCounter(
    { name: 'southbridge_lock_order_inversions_total', help: 'Pairs of locks found to be taken in both orders.' },
    L.ORDER_INVERSIONS,
  ),
  machineCounter(
    {
      name: 'southbridge_device_overlaps_total',
      help: 'Times that a thread found another inside the device; counted on machines with exact statistics.',
    },
    L.OVERLAPPED,
  ),
  lockCounter(
    { name: 'southbridge_lock_acquisitions_total', help: 'Locks taken, at once or after waiting, by call site.' },
    (row) => row.acquired,
  ),
  lockCounter(
    {
      name: 'southbridge_lock_contended_total',
      help: 'Acquisitions that found the lock held and waited for it, by call site.',
    },
    (row) => row.contended,
  ),
  lockCounter(
    {
      name: 'southbridge_lock_try_failures_total',
      help: 'Try-locks that found the lock held and continued without it.',
    },
    (row) => row.tryFailed,
    { onlyCounted: true },
  ),
  waitingGauge(
    {
      name: 'southbridge_lock_waiting_threads',
      help: 'Threads that wait for a lock now, by the call site that wants it. A wait that never ends is in no other metric.',
    },
    (waits) => waits.length,
  ),
  waitingGauge(
    {
      name: 'southbridge_lock_waiting_seconds',
      help: 'Duration so far of the longest wait for a lock in progress; 0 while no thread waits.',
    },
    (waits) => Math.max(0, ...waits.map(({ waited }) => waited)) / 1e9,
  ),
  {
    name: 'southbridge_lock_longest_wait_seconds',
    type: 'gauge',
    help: 'The longest wait so far. The labels name the thread that held the lock when the wait began, and the call site that had taken it.',
    labels: [...MACHINE, 'lock', 'site', 'holder', 'holder_site'],
    *samples({ figures, service }) {
      for (const { labels, locks } of figures.machines) {
        for (const { lock, site, longestWait } of locks) {
          if (!longestWait) continue;
          const { thread, site: holderSite, duration } = longestWait;
          // The lock may have become free between the failed try and the read of its owner.
          const holder =
            thread === 0
              ? { holder: '', holder_site: '' }
              : { holder: threadName(thread, service.engine.map, service.engine.shared), holder_site: holderSite };
          yield { labels: { ...labels, lock, site, ...holder }, value: duration / 1e9 };
        }
      }
    },
  },
  lockHistogram(
    {
      name: 'southbridge_lock_wait_seconds',
      help: 'Time from finding a lock held to acquiring it or being refused. Every wait is timed.',
    },
    (row) => row.wait,
  ),
  lockHistogram(
    {
      name: 'southbridge_lock_hold_sampled_seconds',
      help: 'Time for which locks were held, by the call site that took them. Sampled: one hold in 64, or every one on machines with exact statistics.',
    },
    (row) => row.hold,
  ),
];
