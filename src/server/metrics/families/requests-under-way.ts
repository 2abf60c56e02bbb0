import { type Family, single } from '../family.js';

export const requestsUnderWay: Family = single(
  {
    name: 'southbridge_requests_under_way',
    type: 'gauge',
    help: 'Requests to machines that are not answered yet.',
  },
  ({ service }) => {
    let sum = 0;
    for (const { requestsUnderWay } of service.machines) sum += requestsUnderWay;
    return sum;
  },
);
