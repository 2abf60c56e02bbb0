import { type Scenario, write } from '../scenario.js';
import { HPET } from './addresses.js';
import { turnOn } from './machines.js';

/** A 32-bit one-shot waits for the wrap of the counter while it is written. */
export const wrapRearm: Scenario = {
  name: 'wrap-rearm',
  description: 'the wrap callback of a 32-bit timer; a vCPU writes its comparator',
  before: [
    write(HPET.COUNTER, 0xffff_ff00),
    write(HPET.timer(0), HPET.ENABLE | HPET.BITS_32 | HPET.route(4)),
    write(HPET.comparator(0), 0x80),
    turnOn,
  ],
  times: [2600],
  vcpus: [[write(HPET.comparator(0), 0x200)]],
};
