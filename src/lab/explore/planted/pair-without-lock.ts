import { Pic } from '../../../core/machine/pic.js';
import { type Plant, replaced } from './plant.js';

export const pairWithoutLock: Plant = {
  name: 'pair-without-lock',
  mistake: 'an acknowledge cycle enters the 8259 pair without its lock',
  locking: 'lockless-irq',
  scenario: 'extint-pic',
  kind: 'race',
  options: {
    plant: () =>
      replaced(
        Pic.prototype,
        'acknowledge',
        () =>
          function (this: Pic) {
            return this.pair.acknowledge();
          },
      ),
  },
};
