import { type Scenario, write } from '../scenario.js';
import { HPET } from './addresses.js';
import { counterLoad, pendingLevelTimer } from './machines.js';

/** A reader that holds the BQL waits for a writer, who then must not wait for the BQL. */
export const counterBql: Scenario = {
  name: 'counter-bql',
  description: 'the main loop reads the main counter under the BQL; a vCPU turns the HPET off and on',
  machine: { load: counterLoad },
  before: pendingLevelTimer,
  times: [15_000],
  vcpus: [[write(HPET.CONFIGURATION, 0), write(HPET.CONFIGURATION, HPET.ON)]],
};
