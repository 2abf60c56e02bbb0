import { DEFERRED_DELAY } from '../../../runtime/statistics/statistics-layout.js';
import { type Family, machineHistogram } from '../family.js';

export const deferredIrqDelay: Family = machineHistogram(
  {
    name: 'southbridge_deferred_irq_delay_seconds',
    help: 'Time from deferring a call of the HPET to carrying it out.',
  },
  DEFERRED_DELAY,
);
