import { COALESCED } from '../../../runtime/statistics/statistics-layout.js';
import { type Family, machineCounter } from '../family.js';

export const irqsCoalesced: Family = machineCounter(
  {
    name: 'southbridge_irqs_coalesced_total',
    help: 'Times that a level-triggered input of the IOAPIC was driven high while remote IRR was set.',
  },
  COALESCED,
);
