import { TimerList } from '../../../core/machine/timer-list.js';
import { type Plant, replaced } from './plant.js';

export const deadlineOffByOne: Plant = {
  name: 'deadline-off-by-one',
  mistake: 'a timer is armed for one tick after its match',
  locking: 'lockless-timer',
  scenario: 'callback-comparator',
  kind: 'meaning',
  options: {
    plant: () =>
      replaced(
        TimerList.prototype,
        'arm',
        (right) =>
          function (this: TimerList, timer, deadline) {
            right.call(this, timer, deadline + 10);
          },
      ),
  },
};
