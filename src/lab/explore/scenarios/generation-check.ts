import type { Scenario } from '../scenario.js';
import { fsbSwitch } from './fsb-switch.js';

/** As in QEMU, a callback that was chosen to run does not find out that it was cancelled meanwhile. */
export const generationCheck: Scenario = {
  ...fsbSwitch,
  name: 'generation-check',
  description: `${fsbSwitch.description}; \`timer.generationCheck: false\``,
  machine: { generationCheck: false },
};
