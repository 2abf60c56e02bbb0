import { type Family, lockHistogram } from '../family.js';

export const lockHold: Family = lockHistogram(
  {
    name: 'southbridge_lock_hold_sampled_seconds',
    help: 'Time for which locks were held, by the call site that took them. Sampled: one hold in 64, or every one on machines with exact statistics.',
  },
  (row) => row.hold,
);
