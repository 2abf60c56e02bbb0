import { type Family, kinds } from '../family.js';

export const congestedConnections: Family = kinds(
  {
    name: 'southbridge_congested_connections',
    type: 'gauge',
    help: 'Connections whose peer reads too slowly: limits.bufferedBytes are full, and what follows waits.',
  },
  ({ flow }) => flow.sums(({ congested }) => Number(congested)),
);
