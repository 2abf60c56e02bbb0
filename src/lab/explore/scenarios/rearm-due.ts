import { type Scenario, write } from '../scenario.js';
import { HPET } from './addresses.js';
import { oneShot, redirect, turnOn } from './machines.js';

/** Each arming fires at most once, also where two armings of a timer are due before the first has run. */
export const rearmDue: Scenario = {
  name: 'rearm-due',
  description: 'the callback of a one-shot edge timer; a vCPU arms it again for the same tick, which has come',
  before: [...oneShot(0, 4, 1000), ...redirect(4, 0x31), turnOn],
  times: [10_000],
  vcpus: [[write(HPET.comparator(0), 1000)]],
};
