import { SequenceLock } from '../../../core/sync/sequence-lock.js';
import { type Plant, replaced } from './plant.js';

export const writeWithoutSection: Plant = {
  name: 'write-without-section',
  mistake: 'the main counter is written without telling its readers',
  locking: 'lockless-timer',
  scenario: 'counter-toggle',
  kind: 'meaning',
  options: {
    plant: () =>
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
};
