import { Hpet } from '../../../core/devices/hpet/hpet.js';
import { SequenceLock } from '../../../core/sync/sequence-lock.js';
import { replaced, type SeededBug } from './seeded-bug.js';

/** The sequence lock of the main counter. */
export const COUNTER_BUGS: readonly SeededBug[] = [
  {
    name: 'counter-read-takes-mutex',
    description: 'a read of the main counter takes the mutex',
    locking: 'lockless-timer',
    scenario: 'counter-toggle',
    kind: 'assertion',
    options: { seedBug: () => replaced(Hpet, 'isMainCounter', () => () => false) },
  },
  {
    name: 'counter-write-without-sequence',
    description: 'a write of the main counter does not advance the sequence count that its readers check',
    locking: 'lockless-timer',
    scenario: 'counter-toggle',
    kind: 'linearizability',
    options: {
      seedBug: () =>
        replaced(
          SequenceLock.prototype,
          'write',
          () =>
            function (this: SequenceLock, flags, first, second) {
              const count = this.memory.load(this.address) & ~0xff;
              this.memory.store(this.address + 1, first);
              this.memory.store(this.address + 2, second);
              this.memory.store(this.address, count | (flags << 1));
            },
        ),
    },
  },
  {
    name: 'interrupt-in-write-section',
    description: 'interrupts are raised inside the write section of the main counter',
    locking: 'lockless-timer',
    scenario: 'callback-disable',
    kind: 'lock-order',
    options: { machine: { seqlock: 'legacy' } },
  },
  {
    name: 'bql-in-write-section',
    description: 'a writer of the main counter waits for the BQL inside its write section; the BQL holder spins on it',
    locking: 'lockless-timer',
    scenario: 'counter-bql',
    kind: 'livelock',
    options: { machine: { seqlock: 'legacy' } },
  },
];
