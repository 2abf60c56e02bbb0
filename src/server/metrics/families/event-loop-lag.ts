import { type Family, single } from '../family.js';

export const eventLoopLag: Family = single(
  {
    name: 'southbridge_event_loop_lag_seconds',
    type: 'histogram',
    help: 'How late a timer of the gateway came that is set ten times a second.',
  },
  ({ eventLoop }) => eventLoop.durations,
);
