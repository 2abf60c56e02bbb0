import { read, type Scenario, write } from '../scenario.js';
import { HPET } from './addresses.js';
import { pendingLevelTimer } from './machines.js';

/** QEMU 10.2 raises interrupts inside the counter's write section: who reads it with the BQL held spins for ever. */
export const seqlockLegacy: Scenario = {
  name: 'seqlock-legacy',
  description: 'the callback of a level timer; a vCPU turns the HPET off; another reads the counter; `seqlock: legacy`',
  machine: { seqlock: 'legacy' },
  before: pendingLevelTimer,
  times: [20_000],
  vcpus: [[write(HPET.CONFIGURATION, 0)], [read(HPET.COUNTER)]],
};
