import { type Family, single } from '../family.js';

export const machines: Family = single(
  { name: 'southbridge_machines', type: 'gauge', help: 'Machines that exist.' },
  ({ service }) => service.machines.size,
);
