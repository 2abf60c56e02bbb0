import { lockless } from '../../../core/locking/irq/lockless.js';
import { BQL } from '../../../core/sync/lock-names.js';
import { type Plant, replaced } from './plant.js';

export const vcpuTakesBql: Plant = {
  name: 'vcpu-takes-bql',
  mistake: 'lockless interrupt controllers are entered under the BQL all the same',
  locking: 'lockless-irq',
  scenario: 'mask-line-eoi',
  kind: 'assertion',
  options: {
    plant() {
      const enter = replaced(lockless, 'enter', () => (target) => target.locks.guard(BQL));
      const leave = replaced(lockless, 'leave', () => (target, _, entered) => target.locks.unguard(BQL, entered));
      return () => {
        enter();
        leave();
      };
    },
  },
};
