import { type Scenario, write } from '../scenario.js';
import { HPET } from './addresses.js';
import { turnOn } from './machines.js';

/** The counter's low half wraps at tick 0x100, 2,560 ns after the start: the host's clock stands before, at and after it. */
export const wrapTicks: Scenario = {
  name: 'wrap-ticks',
  description: 'a 32-bit timer is written while the clock goes from one tick before a wrap to one tick after',
  before: [
    write(HPET.COUNTER, 0xffff_ff00),
    write(HPET.timer(0), HPET.ENABLE | HPET.BITS_32 | HPET.route(4)),
    write(HPET.comparator(0), 0x80),
    turnOn,
  ],
  times: [2550, 2560, 2570],
  vcpus: [[write(HPET.comparator(0), 0)]],
};
