import { read, type Scenario, write } from '../scenario.js';
import { HPET } from './addresses.js';
import { turnOn } from './machines.js';

/** A guest reads all 64 bits of a comparator, which the callback moves on across 2^32: both halves change. */
export const comparatorRead: Scenario = {
  name: 'comparator-read',
  description: 'the callback of a periodic timer, whose comparator carries into its high half; a vCPU reads it',
  before: [
    write(HPET.COUNTER, 0xffff_ff00),
    write(HPET.timer(0), HPET.ENABLE | HPET.PERIODIC | HPET.VAL_SET | HPET.route(4)),
    write(HPET.comparator(0), 0xffff_ff80),
    // Without VAL_SET it is the period alone.
    write(HPET.comparator(0), 1000),
    turnOn,
  ],
  times: [2600],
  vcpus: [[read(HPET.comparator(0))]],
};
