import { type Scenario, write } from '../scenario.js';
import { HPET } from './addresses.js';
import { oneShot, turnOn } from './machines.js';

/** Both must fire, each once. */
export const equalDeadlines: Scenario = {
  name: 'equal-deadlines',
  description: 'two vCPUs arm two timers for the same deadline, which has come',
  before: [...oneShot(0, 4, 1_000_000), ...oneShot(1, 5, 1_000_000), turnOn],
  times: [60_000],
  vcpus: [[write(HPET.comparator(0), 5000)], [write(HPET.comparator(1), 5000)]],
};
