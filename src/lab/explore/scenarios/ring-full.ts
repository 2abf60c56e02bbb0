import type { Scenario } from '../scenario.js';
import { edgeTimer, turnOn } from './machines.js';

/** Who finds the event ring full waits for the gateway, which must hear of it: it may sleep, and nobody rang for it yet. */
export const ringFull: Scenario = {
  name: 'ring-full',
  description: 'the callbacks of three edge timers; the event ring has room for two of them',
  gateway: { execution: 'threads' },
  events: { capacity: 8, burst: 2 },
  before: [...edgeTimer(0, 4), ...edgeTimer(1, 5), ...edgeTimer(2, 6), turnOn],
  times: [10_000],
  vcpus: [[]],
  preemptions: 2,
};
