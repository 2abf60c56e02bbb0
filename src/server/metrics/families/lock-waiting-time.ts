import { waitingGauge } from '../family.js';

export const lockWaitingTime = waitingGauge(
  {
    name: 'southbridge_lock_waiting_seconds',
    help: 'How long the longest wait for a lock has lasted that has not ended yet; 0 while no thread waits.',
  },
  (waits) => Math.max(0, ...waits.map(({ waited }) => waited)) / 1e9,
);
