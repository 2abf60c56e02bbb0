import { SOURCE_PIT } from '../../../core/devices/gsi/sources.js';
import { CONTROL_LEGACY_INPUT } from '../../../core/machine/due-work.js';
import { type Scenario, write } from '../scenario.js';
import { HPET } from './addresses.js';
import { turnOn } from './machines.js';

/** Path C by way of the PIT input, against the switch that cuts it off. */
export const legacyInput: Scenario = {
  name: 'legacy-input',
  description: 'the PIT input rises; a vCPU turns legacy replacement on',
  before: [turnOn],
  times: [10_000],
  vcpus: [[write(HPET.CONFIGURATION, HPET.ON | HPET.LEGACY)]],
  control: { work: CONTROL_LEGACY_INPUT, argument: SOURCE_PIT * 2 + 1 },
};
