import { type Scenario, write } from '../scenario.js';
import { HPET } from './addresses.js';
import { pendingLevelTimer } from './machines.js';

/** Whoever closes a cycle is refused, maybe both at once: each must get through, and nothing may be lost. */
export const deadlockBreak: Scenario = {
  name: 'deadlock-break',
  description: 'the callback of a level timer; a vCPU acknowledges its last interrupt; deadlocks are broken',
  machine: { locks: { onDeadlock: 'break' } },
  before: pendingLevelTimer,
  times: [20_000],
  vcpus: [[write(HPET.STATUS, 1)]],
  mutex: 'futex',
};
