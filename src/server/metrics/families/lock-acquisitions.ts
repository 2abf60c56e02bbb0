import { type Family, lockCounter } from '../family.js';

export const lockAcquisitions: Family = lockCounter(
  { name: 'southbridge_lock_acquisitions_total', help: 'Locks taken, at once or after waiting, by call site.' },
  (row) => row.acquired,
);
