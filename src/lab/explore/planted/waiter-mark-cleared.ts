import { EventRing, HEAD, WAITERS } from '../../../runtime/events/event-ring.js';
import { type Plant, replaced } from './plant.js';

export const waiterMarkCleared: Plant = {
  name: 'waiter-mark-cleared',
  mistake:
    'a thread that waits for room in the event ring sets a mark, which the consumer clears when it has made room',
  locking: 'lockless-timer',
  scenario: 'ring-full',
  kind: 'deadlock',
  options: {
    plant() {
      const awaitRoom = replaced(
        EventRing.prototype,
        'awaitRoom',
        () =>
          function (this: EventRing) {
            const { memory, address } = this;
            for (let head = this.head(); !this.hasRoom(); head = this.head()) {
              memory.store(address + WAITERS, 1);
              this.onFull();
              memory.wait(address + HEAD, head);
            }
          },
      );
      const drain = replaced(
        EventRing.prototype,
        'drain',
        (right) =>
          function (this: EventRing, ...how) {
            const count = right.apply(this, how);
            if (count > 0) this.memory.exchange(this.address + WAITERS, 0);
            return count;
          },
      );
      return () => {
        drain();
        awaitRoom();
      };
    },
  },
};
