import { CONTROL_RESET } from '../../../core/machine/due-work.js';
import { type Scenario, write } from '../scenario.js';
import { HPET } from './addresses.js';
import { pendingLevelTimer } from './machines.js';

/** Path C and a callback that is due, against path B. */
export const resetCallback: Scenario = {
  name: 'reset-callback',
  description: 'a reset; the callback of a level timer; a vCPU acknowledges its last interrupt',
  before: pendingLevelTimer,
  times: [20_000],
  vcpus: [[write(HPET.STATUS, 1)]],
  control: { work: CONTROL_RESET, argument: 0 },
};
