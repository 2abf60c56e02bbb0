import { Machine } from '../../../core/machine/machine.js';
import { type Plant, replaced } from './plant.js';

export const flushBeforeUnlock: Plant = {
  name: 'flush-before-unlock',
  mistake: 'a vCPU carries out the deferred list before it gives the mutex back',
  locking: 'deferred-irq',
  scenario: 'callback-acknowledge',
  kind: 'deadlock',
  options: {
    plant: () =>
      replaced(
        Machine.prototype,
        'leaveHpet',
        () =>
          function (this: Machine) {
            this.leaveDevice();
            this.design.irq.end(this);
            this.design.mmio.leave(this.locks);
          },
      ),
  },
};
