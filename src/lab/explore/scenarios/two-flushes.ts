import { type Scenario, write } from '../scenario.js';
import { HPET } from './addresses.js';
import { pendingLevelTimer } from './machines.js';

/** Two vCPUs change one line, in opposite directions, while a callback raises it: decisions may be applied out of order. */
export const twoFlushes: Scenario = {
  name: 'two-flushes',
  description: 'the callback of a level timer; one vCPU acknowledges, the other disables and enables its interrupt',
  before: pendingLevelTimer,
  times: [20_000],
  vcpus: [[write(HPET.STATUS, 1)], [write(HPET.timer(0), HPET.LEVEL | HPET.PERIODIC | HPET.route(4))]],
};
