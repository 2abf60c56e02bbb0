import { REACQUIRE } from '../../../runtime/statistics/statistics-layout.js';
import { type Family, machineHistogram } from '../family.js';

export const bqlReacquire: Family = machineHistogram(
  {
    name: 'southbridge_bql_reacquire_seconds',
    help: 'Time from the end of a timer callback without the BQL to the main loop having it again.',
  },
  REACQUIRE,
);
