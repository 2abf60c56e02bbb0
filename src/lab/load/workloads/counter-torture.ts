import type { Workload } from '../loaded-machine.js';
import { ENABLE_CNF, GENERAL_CONFIGURATION } from '../registers.js';
import { readCounter } from './counter-read.js';

/** vCPU 0 halts and restarts the main counter while the others read it. */
export const counterTorture: Workload = {
  name: 'counter-torture',
  summary: 'vCPU 0 turns the HPET off and on while the others read the main counter, which must never go back',
  async operate(driver, machine) {
    if (driver.index > 0) {
      await readCounter(driver, machine);
      return undefined;
    }
    await driver.write(GENERAL_CONFIGURATION, 8, 0);
    await readCounter(driver, machine);
    await driver.write(GENERAL_CONFIGURATION, 8, ENABLE_CNF);
    return undefined;
  },
};
