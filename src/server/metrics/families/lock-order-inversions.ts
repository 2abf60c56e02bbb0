import { ORDER_INVERSIONS } from '../../../runtime/statistics/statistics-layout.js';
import { type Family, machineCounter } from '../family.js';

export const lockOrderInversions: Family = machineCounter(
  { name: 'southbridge_lock_order_inversions_total', help: 'Pairs of locks found to be taken in both orders.' },
  ORDER_INVERSIONS,
);
