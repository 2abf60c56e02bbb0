import { type Family, kinds } from '../family.js';

export const gaps: Family = kinds(
  {
    name: 'southbridge_gaps_total',
    type: 'counter',
    help: 'Gap messages, each in place of interrupts or events that were not kept.',
  },
  ({ flow: { drops } }) => ({ vcpu: drops.vcpu.gaps, irqs: drops.irqs.gaps, events: drops.events.gaps }),
);
