import { type Family, single } from '../family.js';

export const threadDeaths: Family = single(
  {
    name: 'southbridge_thread_deaths_total',
    type: 'counter',
    help: 'vCPU threads that died. Each was replaced, and the machines that it was in are suspect.',
  },
  ({ service }) => service.threadDeaths,
);
