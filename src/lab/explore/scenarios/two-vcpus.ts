import { type Scenario, write } from '../scenario.js';
import { HPET } from './addresses.js';
import { pendingLevelTimer } from './machines.js';

/** Three threads in one device. */
export const twoVcpus: Scenario = {
  name: 'two-vcpus',
  description: 'the callback of a level timer; one vCPU acknowledges, the other writes its comparator',
  before: pendingLevelTimer,
  times: [20_000],
  vcpus: [[write(HPET.STATUS, 1)], [write(HPET.comparator(0), 1500)]],
};
