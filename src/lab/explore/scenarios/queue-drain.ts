import { line, type Scenario, write } from '../scenario.js';
import { HPET } from './addresses.js';
import { edgeTimer, turnOn } from './machines.js';

/** Who finds the router taken leaves a level and an edge on its queue: whoever has it must come to both. */
export const queueDrain: Scenario = {
  name: 'queue-drain',
  description: 'the callback of an edge timer; a vCPU acknowledges a level timer; a driver raises another line',
  before: [
    write(HPET.timer(1), HPET.LEVEL | HPET.ENABLE | HPET.route(5)),
    write(HPET.comparator(1), 500),
    ...edgeTimer(0, 4),
    turnOn,
    { mainLoopAt: 5000 },
  ],
  times: [10_000],
  vcpus: [[write(HPET.STATUS, 2)], [line(6, 1)]],
};
