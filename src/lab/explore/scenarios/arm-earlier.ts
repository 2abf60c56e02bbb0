import { type Scenario, write } from '../scenario.js';
import { HPET } from './addresses.js';
import { oneShot, redirect, turnOn } from './machines.js';

/** The main loop is about to sleep until a late deadline: the wake-up by an earlier one must not be lost. */
export const armEarlier: Scenario = {
  name: 'arm-earlier',
  description: 'the main loop goes to sleep; a vCPU arms an earlier deadline, which then comes',
  before: [...oneShot(0, 4, 1_000_000), ...redirect(4, 0x31), turnOn, { mainLoopAt: 1000 }],
  times: [1000, 60_000],
  vcpus: [[write(HPET.comparator(0), 5000)]],
};
