import { type Family, lockCounter } from '../family.js';

export const lockTryFailures: Family = lockCounter(
  { name: 'southbridge_lock_try_failures_total', help: 'Tries that found the lock taken and did without.' },
  (row) => row.tryFailed,
  { onlyCounted: true },
);
