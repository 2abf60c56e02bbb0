import { type Family, kinds } from '../family.js';

export const pendingEvents: Family = kinds(
  {
    name: 'southbridge_pending_events',
    type: 'gauge',
    help: 'Interrupts and events that wait for connections whose peer reads too slowly, and for vCPUs that are away.',
  },
  ({ flow, machines }) => {
    const sums = flow.sums(({ pendingEvents }) => pendingEvents);
    let vcpu = 0;
    for (const machine of machines) for (const { backlog } of machine.vcpus) vcpu += backlog.events;
    return { ...sums, vcpu };
  },
);
