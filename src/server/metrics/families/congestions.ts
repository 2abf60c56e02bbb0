import { type Family, kinds } from '../family.js';

export const congestions: Family = kinds(
  {
    name: 'southbridge_congestions_total',
    type: 'counter',
    help: 'Times that the peer of a connection came to read too slowly.',
  },
  ({ flow }) => flow.congestions,
);
