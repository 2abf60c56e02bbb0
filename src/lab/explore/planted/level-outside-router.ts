import { lockless } from '../../../core/locking/irq/lockless.js';
import { type Plant, replaced } from './plant.js';

export const levelOutsideRouter: Plant = {
  name: 'level-outside-router',
  mistake: 'the level of a line is computed outside the router’s protection',
  locking: 'lockless-timer+irq',
  scenario: 'shared-line',
  kind: 'race',
  options: {
    plant: () =>
      replaced(lockless, 'driveLine', () => (target, line, source, level) => target.driveLine(line, source, level)),
  },
};
