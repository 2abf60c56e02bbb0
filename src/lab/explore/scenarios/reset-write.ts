import { CONTROL_RESET } from '../../../core/machine/due-work.js';
import { type Scenario, write } from '../scenario.js';
import { HPET } from './addresses.js';
import { pendingLevelTimer } from './machines.js';

/** Path C against path B. */
export const resetWrite: Scenario = {
  name: 'reset-write',
  description: 'a reset; a vCPU acknowledges an interrupt and writes the comparator',
  before: pendingLevelTimer,
  times: [15_000],
  vcpus: [[write(HPET.STATUS, 1), write(HPET.comparator(0), 1500)]],
  control: { work: CONTROL_RESET, argument: 0 },
  reference: ['bql'],
};
