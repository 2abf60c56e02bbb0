import { Counter, type Registry } from 'prom-client';
import type { Service } from '../service/service.js';
import { LOCK_NAMES } from '../sync/lock-names.js';
import { threadName } from '../threads/lock-view.js';
import type { ThreadCounts } from '../threads/thread-statistics.js';

/** What the threads count about locks; read from their memory when asked for. */
export function registerLockMetrics(register: Registry, { engine }: Service): void {
  const perLock = (name: string, help: string, of: (counts: ThreadCounts) => readonly number[]) =>
    new Counter({
      name,
      help,
      labelNames: ['thread', 'lock'],
      registers: [register],
      collect() {
        this.reset();
        for (const [thread, counts] of engine.counts()) {
          for (const [lock, count] of of(counts).entries()) {
            this.inc({ thread: threadName(thread, engine.map), lock: LOCK_NAMES[lock] }, count);
          }
        }
      },
    });
  perLock('southbridge_lock_acquisitions_total', 'Locks taken.', ({ acquired }) => acquired);
  perLock('southbridge_lock_contended_total', 'Locks that were not free.', ({ contended }) => contended);
  perLock('southbridge_lock_try_failed_total', 'Tries that found the lock taken.', ({ tryFailed }) => tryFailed);

  new Counter({
    name: 'southbridge_device_overlaps_total',
    help: 'Threads that found another inside the device, on machines with exact statistics.',
    labelNames: ['thread'],
    registers: [register],
    collect() {
      this.reset();
      for (const [thread, counts] of engine.counts())
        this.inc({ thread: threadName(thread, engine.map) }, counts.overlapped);
    },
  });
}
