import { type Scenario, write } from '../scenario.js';
import { HPET } from './addresses.js';
import { counterLoad, pendingLevelTimer } from './machines.js';

/** QEMU 10.2 raises interrupts inside the counter's write section: who reads it with the BQL held spins for ever. */
export const seqlockLegacy: Scenario = {
  name: 'seqlock-legacy',
  description: 'the main loop reads the main counter under the BQL; a vCPU turns the HPET off; `seqlock: legacy`',
  machine: { seqlock: 'legacy', load: counterLoad },
  before: pendingLevelTimer,
  times: [15_000],
  vcpus: [[write(HPET.CONFIGURATION, 0)]],
};
