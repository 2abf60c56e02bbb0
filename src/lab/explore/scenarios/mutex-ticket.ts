import type { Scenario } from '../scenario.js';

/** The fair mutex by itself. */
export const mutexTicket: Scenario = {
  name: 'mutex-ticket',
  description: 'three threads take one fair lock',
  machine: { locks: { mutex: 'ticket' } },
  before: [],
  times: [0],
  vcpus: [],
  lockers: { threads: 3, rounds: 1 },
  mutex: 'futex',
};
