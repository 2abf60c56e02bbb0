import { type Scenario, write } from '../scenario.js';
import { HPET } from './addresses.js';
import { pendingLevelTimer } from './machines.js';

/** A guest re-arms a periodic timer while its next period is due. */
export const callbackComparator: Scenario = {
  name: 'callback-comparator',
  description: 'the callback of a level timer; a vCPU acknowledges its last interrupt and writes its comparator',
  before: pendingLevelTimer,
  times: [20_000],
  vcpus: [[write(HPET.STATUS, 1), write(HPET.comparator(0), 1500)]],
};
