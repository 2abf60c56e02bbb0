import { CONTROL_PAUSE } from '../../../core/machine/due-work.js';
import { type Scenario, write } from '../scenario.js';
import { HPET } from './addresses.js';
import { pendingLevelTimer } from './machines.js';

/** Path C stops the clock: a callback that was due is run before it or not at all, against path B. */
export const pauseCallback: Scenario = {
  name: 'pause-callback',
  description: 'a pause; the callback of a level timer; a vCPU acknowledges its last interrupt',
  before: pendingLevelTimer,
  times: [20_000],
  vcpus: [[write(HPET.STATUS, 1)]],
  control: { work: CONTROL_PAUSE, argument: 0 },
};
