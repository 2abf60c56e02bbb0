import { GATEWAY_THREAD, threadName } from '../../../runtime/memory/shared-map.js';
import { type Family, single } from '../family.js';

/** Faults of the threads; all stay 0 in normal operation. */
export const THREAD_FAULTS: readonly Family[] = [
  single(
    {
      name: 'southbridge_missed_wakeups_total',
      type: 'counter',
      help: 'Wakeups of the gateway that only a watchdog noticed (a bug: please report it). Must stay 0.',
    },
    ({ service }) => service.engine.missedWakeups,
  ),
  single(
    {
      name: 'southbridge_thread_deaths_total',
      type: 'counter',
      help: 'vCPU threads that died. The server replaced each, and marked the machines that it was in as suspect.',
    },
    ({ service }) => service.threadDeaths,
  ),
  single(
    {
      name: 'southbridge_stalls_total',
      type: 'counter',
      help: 'Times that a thread made no progress for 5 s although it had work. Must stay 0.',
    },
    ({ service }) => service.engine.stalls.total,
  ),
  single(
    {
      name: 'southbridge_stalled_threads',
      type: 'gauge',
      help: 'Threads that make no progress now although they have work; `/healthz` says which, and what they wait for.',
    },
    ({ service }) => service.engine.stalls.current.size,
  ),
];

/** How the threads, the event loop and the scrapes spend their time. */
export const PROCESS: readonly Family[] = [
  {
    name: 'southbridge_thread_busy_seconds_total',
    type: 'counter',
    help: 'Time in which a thread did not sleep for lack of work; waits for locks are included.',
    labels: ['thread'],
    *samples({ service: { engine } }) {
      yield {
        labels: { thread: threadName(GATEWAY_THREAD, engine.map, engine.shared) },
        value: performance.eventLoopUtilization().active / 1e3,
      };
      const now = engine.shared.hostTime();
      for (const thread of engine.statistics.threads) {
        if (thread === GATEWAY_THREAD) continue;
        yield {
          labels: { thread: threadName(thread, engine.map, engine.shared) },
          value: engine.statistics.busy(thread, now) / 1e9,
        };
      }
    },
  },
  single(
    {
      name: 'southbridge_event_loop_lag_seconds',
      type: 'histogram',
      help: 'Lateness of a gateway timer that fires ten times a second.',
    },
    ({ eventLoop }) => eventLoop.durations,
  ),
  single(
    { name: 'southbridge_scrape_duration_seconds', type: 'histogram', help: 'Duration of earlier scrapes.' },
    ({ scrapes }) => scrapes.durations,
  ),
  single(
    {
      name: 'southbridge_scrape_longest_block_seconds',
      type: 'gauge',
      help: 'The longest time for which the previous scrape blocked the gateway.',
    },
    ({ scrapes }) => scrapes.longestPiece / 1e9,
  ),
  single(
    {
      name: 'southbridge_scrape_busy_seconds',
      type: 'gauge',
      help: 'Gateway time that the previous scrape took, all its pieces together.',
    },
    ({ scrapes }) => scrapes.busy / 1e9,
  ),
];

/** What this scrape leaves out: it is known once every other family has been written. */
export const OMISSIONS: readonly Family[] = [
  single(
    {
      name: 'southbridge_series_omitted',
      type: 'gauge',
      help: 'Samples left out to stay within 20000; those of the lock histograms go first.',
    },
    ({ scrapes }) => scrapes.omitted,
  ),
];
