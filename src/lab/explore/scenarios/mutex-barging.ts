import type { Scenario } from '../scenario.js';

/** The default mutex by itself, with its every operation: what the other scenarios may take it for. */
export const mutexBarging: Scenario = {
  name: 'mutex-barging',
  description: 'three threads take one lock',
  before: [],
  times: [0],
  vcpus: [],
  lockers: { threads: 3, rounds: 1 },
  mutex: 'futex',
};
