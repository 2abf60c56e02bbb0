import { CONTROL_SAVE } from '../../../core/machine/due-work.js';
import { type Scenario, write } from '../scenario.js';
import { HPET } from './addresses.js';
import { pendingLevelTimer } from './machines.js';

/** A snapshot against path B, from which the gateway keeps it apart: locks alone must do as well. */
export const saveWrite: Scenario = {
  name: 'save-write',
  description: 'a snapshot; a vCPU acknowledges an interrupt',
  before: pendingLevelTimer,
  times: [15_000],
  vcpus: [[write(HPET.STATUS, 1)]],
  control: { work: CONTROL_SAVE, argument: 0 },
};
