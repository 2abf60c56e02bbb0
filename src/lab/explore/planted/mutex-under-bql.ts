import type { Plant } from './plant.js';

export const mutexUnderBql: Plant = {
  name: 'mutex-under-bql',
  mistake: 'a callback takes the mutex under the BQL, where line changes take the BQL under the mutex',
  locking: 'lockless-timer',
  scenario: 'callback-acknowledge',
  kind: 'deadlock',
  design: 'device/bql+device/inline/ordered',
};
