import { type Scenario, write } from '../scenario.js';
import { HPET } from './addresses.js';
import { pendingLevelTimer } from './machines.js';

/** The line must follow the status bit, whoever is second. */
export const callbackAcknowledge: Scenario = {
  name: 'callback-acknowledge',
  description: 'the callback of a level timer; a vCPU acknowledges its last interrupt',
  before: pendingLevelTimer,
  times: [20_000],
  vcpus: [[write(HPET.STATUS, 1)]],
};
