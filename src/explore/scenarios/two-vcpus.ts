import { type Scenario, write } from '../scenario.js';
import { HPET } from './addresses.js';

/** Timer 0: periodic, level-triggered, every 1,000 ticks; it has fired once, and is due again. */
export const twoVcpus: Scenario = {
  name: 'two-vcpus',
  description: 'two vCPUs, one acknowledging, one writing the comparator, and the callback of the same timer',
  before: [
    write(HPET.timer(0), HPET.LEVEL | HPET.ENABLE | HPET.PERIODIC | HPET.VAL_SET | HPET.route(4)),
    write(HPET.comparator(0), 1000),
    write(HPET.CONFIGURATION, HPET.ON),
    { mainLoopAt: 10_000 },
  ],
  times: [20_000],
  vcpus: [[write(HPET.STATUS, 1)], [write(HPET.comparator(0), 1500)]],
};
