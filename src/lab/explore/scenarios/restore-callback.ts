import { CONTROL_RESTORE, CONTROL_SAVE } from '../../../core/machine/due-work.js';
import { type Scenario, write } from '../scenario.js';
import { HPET } from './addresses.js';
import { pendingLevelTimer } from './machines.js';

/** A machine takes on what it was at 10 µs: an edge is sent neither again nor for what was chosen to run before. */
export const restoreCallback: Scenario = {
  name: 'restore-callback',
  description: 'a machine is restored; the callback of a level timer; a vCPU acknowledges its last interrupt',
  before: [...pendingLevelTimer, { work: CONTROL_SAVE, argument: 0 }],
  times: [20_000],
  vcpus: [[write(HPET.STATUS, 1)]],
  control: { work: CONTROL_RESTORE, argument: 10_000 },
};
