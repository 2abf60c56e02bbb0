import { inline } from '../../../core/locking/irq/inline.js';
import { type Plant, replaced } from './plant.js';

export const timerOffByOne: Plant = {
  name: 'timer-off-by-one',
  mistake: 'a line is driven for the timer after the right one',
  locking: 'lockless-timer',
  scenario: 'callback-acknowledge',
  kind: 'meaning',
  options: {
    plant: () =>
      replaced(inline, 'driveLine', (right) => (target, line, source, level) => right(target, line, source + 1, level)),
  },
};
