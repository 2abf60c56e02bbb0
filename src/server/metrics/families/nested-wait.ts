import { NESTED_WAIT } from '../../../runtime/statistics/statistics-layout.js';
import { type Family, machineHistogram } from '../family.js';

export const nestedWait: Family = machineHistogram(
  {
    name: 'southbridge_nested_wait_seconds',
    help: 'Time for which a thread held the device mutex while it waited for the BQL.',
  },
  NESTED_WAIT,
);
