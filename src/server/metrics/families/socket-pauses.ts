import { type Family, single } from '../family.js';

export const socketPauses: Family = single(
  {
    name: 'southbridge_socket_pauses_total',
    type: 'counter',
    help: 'Times that the socket of a vCPU came to be read no further.',
  },
  ({ service }) => service.flow.pauses,
);
