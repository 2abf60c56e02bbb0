import { type Scenario, write } from '../scenario.js';
import { HPET } from './addresses.js';
import { edgeTimer, redirect, turnOn } from './machines.js';

/** As in QEMU, a callback that was chosen to run does not find out that it was cancelled meanwhile. */
export const generationCheck: Scenario = {
  name: 'generation-check',
  description: 'the callback of an edge timer; a vCPU turns the HPET off; `timer.generationCheck: false`',
  machine: { generationCheck: false },
  before: [...edgeTimer(0, 4), ...redirect(4, 0x31), turnOn],
  times: [10_000],
  vcpus: [[write(HPET.CONFIGURATION, 0)]],
};
