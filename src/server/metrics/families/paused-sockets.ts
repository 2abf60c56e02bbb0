import { type Family, single } from '../family.js';

export const pausedSockets: Family = single(
  {
    name: 'southbridge_paused_sockets',
    type: 'gauge',
    help: 'Sockets of vCPUs that are read no further: too many requests are under way, frames come too fast, or their peer reads too slowly.',
  },
  ({ service }) => service.flow.sums(({ paused }) => Number(paused)).vcpu,
);
