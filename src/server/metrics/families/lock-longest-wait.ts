import { threadName } from '../../../runtime/statistics/lock-view.js';
import { type Family, MACHINE } from '../family.js';

export const lockLongestWait: Family = {
  name: 'southbridge_lock_longest_wait_seconds',
  type: 'gauge',
  help: 'The longest wait so far, with the thread that held the lock when it began and where that had taken it.',
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
            : { holder: threadName(thread, service.engine.map), holder_site: holderSite };
        yield { labels: { ...labels, lock, site, ...holder }, value: duration / 1e9 };
      }
    }
  },
};
