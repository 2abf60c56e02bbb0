import { type Family, single } from '../family.js';

export const missedWakeups: Family = single(
  {
    name: 'southbridge_missed_wakeups_total',
    type: 'counter',
    help: 'Wakeups of the gateway that only a watchdog noticed (a bug: please report it). Must stay 0.',
  },
  ({ service }) => service.engine.missedWakeups,
);
