import { threadName } from '../../../runtime/statistics/lock-view.js';
import { type Family, locksOf } from '../family.js';

export const lockLongestWait: Family = {
  name: 'southbridge_lock_longest_wait_seconds',
  type: 'gauge',
  help: 'The longest wait so far, with the thread that held the lock when it began and where that had taken it.',
  labels: ['machine', 'locking', 'lock', 'site', 'holder', 'holder_site'],
  *samples(source) {
    for (const { row, labels } of locksOf(source)) {
      const { longestWait } = row;
      if (!longestWait) continue;
      const { thread, site, duration } = longestWait;
      // Between the failed try and the look at its owner the lock may have become free.
      const holder =
        thread === 0
          ? { holder: '', holder_site: '' }
          : { holder: threadName(thread, source.service.engine.map), holder_site: site };
      yield { labels: { ...labels, ...holder }, value: duration / 1e9 };
    }
  },
};
