import type { Workload } from '../bench.js';
import { ENABLE_CNF, GENERAL_CONFIGURATION } from '../registers.js';
import { readCounter } from './counter-read.js';

/** vCPU 0 halts the main counter and lets it run again while the others read it. */
export const counterTorture: Workload = {
  name: 'counter-torture',
  summary: 'vCPU 0 turns the HPET off and on while the others read the main counter, which must never go back',
  async operate(station, bench) {
    if (station.index > 0) {
      await readCounter(station, bench);
      return undefined;
    }
    await station.write(GENERAL_CONFIGURATION, 8, 0);
    await readCounter(station, bench);
    await station.write(GENERAL_CONFIGURATION, 8, ENABLE_CNF);
    return undefined;
  },
};
