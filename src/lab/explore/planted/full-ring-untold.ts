import { EventRing } from '../../../runtime/events/event-ring.js';
import { type Plant, replaced } from './plant.js';

export const fullRingUntold: Plant = {
  name: 'full-ring-untold',
  mistake: 'who waits for room in the event ring does not ring for the gateway, which may sleep',
  locking: 'lockless-timer',
  scenario: 'ring-full',
  kind: 'deadlock',
  options: {
    plant: () =>
      replaced(
        EventRing.prototype,
        'awaitRoom',
        (right) =>
          function (this: EventRing) {
            this.onFull = () => {};
            right.call(this);
          },
      ),
  },
};
