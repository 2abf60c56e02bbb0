import { type Scenario, write } from '../scenario.js';
import { HPET } from './addresses.js';
import { edgeTimer, redirect, turnOn } from './machines.js';

/** Edges are counted: two of them on one line are two interrupts, even if one access decides both. */
export const twoEdges: Scenario = {
  name: 'two-edges',
  description: 'the callbacks of two edge timers on one line; a vCPU turns the HPET off',
  before: [...edgeTimer(0, 4), ...edgeTimer(1, 4), ...redirect(4, 0x31), turnOn],
  times: [10_000],
  vcpus: [[write(HPET.CONFIGURATION, 0)]],
};
