import { threadName } from '../../../runtime/statistics/lock-view.js';
import { GATEWAY_THREAD } from '../../../runtime/threads/shared-map.js';
import type { Family } from '../family.js';

export const threadBusy: Family = {
  name: 'southbridge_thread_busy_seconds_total',
  type: 'counter',
  help: 'Time in which a thread did not sleep for lack of work; waits for locks are included.',
  labels: ['thread'],
  *samples({ service: { engine } }) {
    yield {
      labels: { thread: threadName(GATEWAY_THREAD, engine.map) },
      value: performance.eventLoopUtilization().active / 1e3,
    };
    const now = engine.shared.hostTime();
    for (const thread of engine.statistics.threads) {
      if (thread === GATEWAY_THREAD) continue;
      yield { labels: { thread: threadName(thread, engine.map) }, value: engine.statistics.busy(thread, now) / 1e9 };
    }
  },
};
