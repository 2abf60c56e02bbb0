import { type Family, kinds } from '../family.js';

export const droppedEvents: Family = kinds(
  {
    name: 'southbridge_dropped_events_total',
    type: 'counter',
    help: 'Interrupts and events that found no room in the queue of a connection or of a vCPU that was away.',
  },
  ({ flow: { drops } }) => ({ vcpu: drops.vcpu.dropped, irqs: drops.irqs.dropped, events: drops.events.dropped }),
);
