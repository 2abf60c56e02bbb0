import { type Scenario, write } from '../scenario.js';
import { HPET } from './addresses.js';
import { edgeTimer, redirect, turnOn } from './machines.js';

/** One interrupt, by the line or as a message, and never both. */
export const fsbSwitch: Scenario = {
  name: 'fsb-switch',
  description: 'the callback of an edge timer; a vCPU switches it to FSB delivery',
  before: [...edgeTimer(0, 4), write(HPET.fsbRoute(0), 0x4041), ...redirect(4, 0x31), turnOn],
  times: [10_000],
  vcpus: [[write(HPET.timer(0), HPET.ENABLE | HPET.PERIODIC | HPET.FSB | HPET.route(4))]],
};
