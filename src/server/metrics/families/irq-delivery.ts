import { DELIVERY } from '../../../runtime/statistics/statistics-layout.js';
import { type Family, machineHistogram } from '../family.js';

export const irqDelivery: Family = machineHistogram(
  {
    name: 'southbridge_irq_delivery_seconds',
    help: 'Time from sending an interrupt to handing it to the vCPU or its backlog, on machines with a realtime clock.',
  },
  DELIVERY,
);
