import { Machine } from '../../../core/machine/machine.js';
import { type Plant, replaced } from './plant.js';

export const edgeReplayed: Plant = {
  name: 'edge-replayed',
  mistake: 'a restore, or a snapshot, drives the lines that are high once more, as if they had just risen',
  locking: 'lockless-irq',
  scenario: 'restore-callback',
  kind: 'meaning',
  options: {
    plant: () =>
      replaced(
        Machine.prototype,
        'withInterruptControllers',
        (right) =>
          function (this: Machine, copy) {
            right.call(this, () => {
              copy();
              const { router } = this;
              for (let gsi = 0; gsi < 24; gsi++) if (router.level(gsi)) router.ports.lineChanged(gsi, 1, this.cause);
            });
          },
      ),
  },
};
