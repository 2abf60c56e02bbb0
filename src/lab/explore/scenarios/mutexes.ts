import type { Scenario } from '../scenario.js';

const threeLockers = {
  before: [],
  times: [0],
  vcpus: [],
  lockers: { threads: 3, rounds: 1 },
  mutex: 'futex',
} as const;

/** Each mutex alone, with every operation explored. The other scenarios rely on this result. */
export const MUTEXES: readonly Scenario[] = [
  { name: 'mutex-barging', description: 'three threads take one lock', ...threeLockers },
  {
    name: 'mutex-ticket',
    description: 'three threads take one fair lock',
    machine: { locks: { mutex: 'ticket' } },
    ...threeLockers,
  },
];
