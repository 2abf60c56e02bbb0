import { type Scenario, write } from '../scenario.js';
import { HPET } from './addresses.js';
import { edgeTimer, redirect, turnOn } from './machines.js';

/** A guest turns the HPET off while a callback is due: whoever is second must not fire a dead timer. */
export const callbackDisable: Scenario = {
  name: 'callback-disable',
  description: 'the callback of an edge timer; a vCPU turns the HPET off',
  before: [...edgeTimer(0, 4), ...redirect(4, 0x31), turnOn],
  times: [10_000],
  vcpus: [[write(HPET.CONFIGURATION, 0)]],
};
