import { type Family, lockHistogram } from '../family.js';

export const lockWait: Family = lockHistogram(
  {
    name: 'southbridge_lock_wait_seconds',
    help: 'Time from finding a lock taken to getting it, or to being refused. Every wait is timed.',
  },
  (row) => row.wait,
);
