import { read, type Scenario, write } from '../scenario.js';
import { HPET } from './addresses.js';
import { turnOn } from './machines.js';

/** A counter read takes no lock where MMIO is lockless; it must see one state of the counter, not half of two. */
export const counterToggle: Scenario = {
  name: 'counter-toggle',
  description: 'a vCPU reads the main counter; another halts and restarts it',
  before: [turnOn],
  times: [10_000],
  vcpus: [
    [read(HPET.COUNTER), read(HPET.COUNTER)],
    [write(HPET.CONFIGURATION, 0), write(HPET.CONFIGURATION, HPET.ON)],
  ],
};
