import type { Scenario } from '../scenario.js';
import { edgeTimer, turnOn } from './machines.js';

/**
 * A thread that finds the event ring full waits for the gateway. It rings for the gateway, which may sleep, and the gateway
 * wakes it after each move of the head: the first may not make room enough.
 */
export const ringFull: Scenario = {
  name: 'ring-full',
  description: 'the callbacks of three edge timers; the event ring has room for two of them',
  gateway: { execution: 'threads' },
  events: { capacity: 8, burst: 2 },
  before: [...edgeTimer(0, 4), ...edgeTimer(1, 5), ...edgeTimer(2, 6), turnOn],
  times: [10_000],
  vcpus: [[]],
  // Where a vCPU thread runs the callbacks, the gateway meets two threads that wait for it.
  preemptions: ({ timer }) => (timer.kicks ? 2 : undefined),
};
