import type { Scenario } from '../scenario.js';
import { write } from '../scenario.js';
import { HPET } from './addresses.js';

/** Timer 0: periodic, level-triggered, every 1,000 ticks; it has fired once, and is due again. */
export const callbackComparator: Scenario = {
  name: 'callback-comparator',
  description:
    'the callback of a level timer that is due; a vCPU acknowledges its last interrupt and writes its comparator',
  before: [
    write(HPET.timer(0), HPET.LEVEL | HPET.ENABLE | HPET.PERIODIC | HPET.VAL_SET | HPET.route(4)),
    write(HPET.comparator(0), 1000),
    write(HPET.CONFIGURATION, 1),
    { mainLoopAt: 10_000 },
  ],
  times: [20_000],
  vcpus: [[write(HPET.STATUS, 1), write(HPET.comparator(0), 1500)]],
};
