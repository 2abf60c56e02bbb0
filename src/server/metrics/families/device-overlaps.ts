import { OVERLAPPED } from '../../../runtime/statistics/statistics-layout.js';
import { type Family, machineCounter } from '../family.js';

export const deviceOverlaps: Family = machineCounter(
  {
    name: 'southbridge_device_overlaps_total',
    help: 'Times that a thread found another inside the device; counted on machines with exact statistics.',
  },
  OVERLAPPED,
);
