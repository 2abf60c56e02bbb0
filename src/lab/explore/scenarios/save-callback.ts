import { CONTROL_SAVE } from '../../../core/machine/due-work.js';
import type { Scenario } from '../scenario.js';
import { pendingLevelTimer } from './machines.js';

/** A snapshot holds the machine before a callback or after it, and not in between. The gateway keeps the vCPUs out. */
export const saveCallback: Scenario = {
  name: 'save-callback',
  description: 'a snapshot; the callback of a level timer',
  before: pendingLevelTimer,
  times: [20_000],
  vcpus: [[]],
  control: { work: CONTROL_SAVE, argument: 0 },
};
