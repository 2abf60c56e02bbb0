import { TimerList } from '../../../core/machine/timer-list.js';
import { type Plant, replaced } from './plant.js';

export const pastDeadline: Plant = {
  name: 'past-deadline',
  mistake: 'a deadline that has come when it is armed does not fire',
  locking: 'lockless-timer',
  scenario: 'equal-deadlines',
  kind: 'meaning',
  options: {
    plant: () =>
      replaced(
        TimerList.prototype,
        'arm',
        (right) =>
          function (this: TimerList, timer, deadline) {
            if (deadline <= this.memory.hostTime()) this.cancel(timer);
            else right.call(this, timer, deadline);
          },
      ),
  },
};
