import { STALE_INVERTED, STALE_LATE } from '../../../runtime/statistics/statistics-layout.js';
import { type Family, machineCounter } from '../family.js';

export const deferredIrqsStale: Family = machineCounter(
  {
    name: 'southbridge_deferred_irqs_stale_total',
    help: 'Deferred line changes that were outdated when they were carried out: late, a newer one had been decided; inverted, a newer one had been carried out.',
  },
  { late: STALE_LATE, inverted: STALE_INVERTED },
  'reason',
);
