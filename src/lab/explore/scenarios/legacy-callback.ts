import { SOURCE_PIT } from '../../../core/devices/gsi/sources.js';
import { CONTROL_LEGACY_INPUT } from '../../../core/machine/due-work.js';
import { type Scenario, write } from '../scenario.js';
import { HPET } from './addresses.js';
import { edgeTimer } from './machines.js';

/** The PIT's line belongs to timer 0 in legacy mode, which ends while both have something to say. */
export const legacyCallback: Scenario = {
  name: 'legacy-callback',
  description: 'the PIT input rises; the callback of a timer in legacy mode; a vCPU ends legacy mode',
  before: [...edgeTimer(0, 4), write(HPET.CONFIGURATION, HPET.ON | HPET.LEGACY)],
  times: [10_000],
  vcpus: [[write(HPET.CONFIGURATION, HPET.ON)]],
  control: { work: CONTROL_LEGACY_INPUT, argument: SOURCE_PIT * 2 + 1 },
};
