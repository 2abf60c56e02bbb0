import { TIMERS } from '../../../core/sync/lock-names.js';
import type { Plant } from './plant.js';
import { plantedInLocks } from './planted-locks.js';

export const listWithoutLock: Plant = {
  name: 'list-without-lock',
  mistake: 'the timer list is walked without its lock',
  locking: 'lockless-timer',
  scenario: 'equal-deadlines',
  kind: 'race',
  options: plantedInLocks((lock) => lock === TIMERS, { compareExchange: () => 0, exchange: () => 0 }),
};
