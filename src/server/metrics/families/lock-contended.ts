import { type Family, lockCounter } from '../family.js';

export const lockContended: Family = lockCounter(
  {
    name: 'southbridge_lock_contended_total',
    help: 'Locks that were not free when a call site wanted them, and that it waited for.',
  },
  (row) => row.contended,
);
