import { EventRing } from '../../../runtime/events/event-ring.js';
import { type Plant, replaced } from './plant.js';

/** Words of a ring before its records, and of a record, whose first word tells that it is complete. */
const RECORDS = 16;
const RECORD_WORDS = 10;

export const eventBeforeComplete: Plant = {
  name: 'event-before-complete',
  mistake: 'the position of an event is told before the event is complete',
  locking: 'lockless-timer',
  scenario: 'reply-order',
  kind: 'race',
  options: {
    plant: () =>
      replaced(
        EventRing.prototype,
        'emit',
        (right) =>
          function (this: EventRing, ...event) {
            const position = this.tail();
            const record = this.address + RECORDS + (position & (this.capacity - 1)) * RECORD_WORDS;
            this.memory.store(record, position + 1);
            return right.apply(this, event);
          },
      ),
  },
};
