import { DEADLOCKS_BROKEN, DEADLOCKS_HUNG } from '../../../runtime/statistics/statistics-layout.js';
import { type Family, machineCounter } from '../family.js';

export const deadlocks: Family = machineCounter(
  {
    name: 'southbridge_deadlocks_total',
    help: 'Cycles of threads that wait for each other: broken by refusing one of them its lock, or hung for ever.',
  },
  { broken: DEADLOCKS_BROKEN, hung: DEADLOCKS_HUNG },
  'outcome',
);
