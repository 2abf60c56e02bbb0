import { line, type Scenario, write } from '../scenario.js';
import { HPET } from './addresses.js';
import { pendingLevelTimer } from './machines.js';

/** Three sources on one line: its level is their OR, whatever the order. */
export const sharedLine: Scenario = {
  name: 'shared-line',
  description: 'the callback of a level timer; a vCPU acknowledges another one on the same line; a driver lowers it',
  before: [
    write(HPET.timer(1), HPET.LEVEL | HPET.ENABLE | HPET.route(4)),
    write(HPET.comparator(1), 500),
    ...pendingLevelTimer,
    line(4, 1),
  ],
  times: [20_000],
  vcpus: [[write(HPET.STATUS, 2)], [line(4, 0)]],
};
