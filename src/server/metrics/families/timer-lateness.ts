import { LATENESS } from '../../../runtime/statistics/statistics-layout.js';
import { type Family, machineHistogram } from '../family.js';

export const timerLateness: Family = machineHistogram(
  {
    name: 'southbridge_timer_lateness_seconds',
    help: "Virtual time from a timer's deadline to its callback being inside the device.",
  },
  LATENESS,
);
