import { read, type Scenario, write } from '../scenario.js';
import { HPET } from './addresses.js';
import { pendingLevelTimer } from './machines.js';

/** What is carried out on the gateway must not overtake what was handed over for the same vCPU, nor wait for a lock. */
export const inlineLane: Scenario = {
  name: 'inline-lane',
  description: 'the callback of a level timer; a vCPU writes a configuration and reads it back, on the gateway or not',
  gateway: { execution: 'auto' },
  before: pendingLevelTimer,
  times: [20_000],
  vcpus: [[write(HPET.timer(0), HPET.LEVEL | HPET.PERIODIC | HPET.route(4)), read(HPET.timer(0))]],
  preemptions: 2,
};
