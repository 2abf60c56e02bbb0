import { type Family, single } from '../family.js';

export const eventRing: Family = single(
  {
    name: 'southbridge_event_ring_records',
    type: 'gauge',
    help: 'Events that threads have put into the event ring and that the gateway has not handed over; it has room for 16384, or more with many vCPU threads.',
  },
  ({ service }) => service.engine.gateway.waitingEvents,
);
