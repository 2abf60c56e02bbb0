import { waitingGauge } from '../family.js';

export const lockWaitingThreads = waitingGauge(
  {
    name: 'southbridge_lock_waiting_threads',
    help: 'Threads that wait for a lock now, by the call site that wants it. A wait that never ends is in no other metric.',
  },
  (waits) => waits.length,
);
