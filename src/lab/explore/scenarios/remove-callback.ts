import { CONTROL_REMOVE } from '../../../core/machine/due-work.js';
import { type Scenario, write } from '../scenario.js';
import { HPET } from './addresses.js';
import { pendingLevelTimer } from './machines.js';

/** A machine ends while a callback of it is due, and a vCPU is inside. */
export const removeCallback: Scenario = {
  name: 'remove-callback',
  description: 'the machine is removed; the callback of a level timer; a vCPU acknowledges its last interrupt',
  before: pendingLevelTimer,
  times: [20_000],
  vcpus: [[write(HPET.STATUS, 1)]],
  control: { work: CONTROL_REMOVE, argument: 0 },
};
