import { type Family, single } from '../family.js';

export const droppedInterrupts: Family = single(
  {
    name: 'southbridge_dropped_interrupts_total',
    type: 'counter',
    help: 'Interrupts that were not kept for a vCPU that was away or read too slowly, and that it was told of as a gap.',
  },
  ({ service }) => service.machines.droppedInterrupts,
);
