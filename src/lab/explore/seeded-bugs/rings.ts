import { ANY_MACHINE, EventRing, HEAD, WAITERS } from '../../../runtime/events/event-ring.js';
import { EventShares } from '../../../runtime/events/event-shares.js';
import { SubmissionRing } from '../../../runtime/rings/submission-ring.js';
import { Dispatch } from '../../../runtime/threads/dispatch.js';
import { all, replaced, type SeededBug } from './seeded-bug.js';

/** Words of an event ring before its records, and of a record. The first word of a record publishes it. */
const RECORDS = 16;
const RECORD_WORDS = 10;

/** The event ring and the order of events and replies. */
export const RING_BUGS: readonly SeededBug[] = [
  {
    name: 'reply-before-interrupt',
    description: 'a reply is sent before the last event of its request',
    locking: 'lockless-timer',
    scenario: 'reply-order',
    kind: 'linearizability',
    options: {
      seedBug: () =>
        replaced(
          SubmissionRing.prototype,
          'events',
          (original) =>
            function (this: SubmissionRing, position) {
              return (original.call(this, position) - 1) | 0;
            },
        ),
    },
  },
  {
    name: 'event-published-before-write',
    description: 'an event is published before its record is written',
    locking: 'lockless-timer',
    scenario: 'reply-order',
    kind: 'race',
    options: {
      seedBug: () =>
        replaced(
          EventRing.prototype,
          'emit',
          (original) =>
            function (this: EventRing, ...event) {
              const position = this.tail();
              const record = this.address + RECORDS + (position & (this.capacity - 1)) * RECORD_WORDS;
              this.memory.store(record, position + 1);
              return original.apply(this, event);
            },
        ),
    },
  },
  {
    name: 'full-ring-without-doorbell',
    description: 'a thread that waits for room in the event ring does not ring the doorbell of the sleeping gateway',
    locking: 'lockless-timer',
    scenario: 'ring-burst',
    kind: 'deadlock',
    options: {
      seedBug: () =>
        replaced(
          EventRing.prototype,
          'awaitRoom',
          (original) =>
            function (this: EventRing) {
              this.onFull = () => {};
              original.call(this);
            },
        ),
    },
  },
  {
    name: 'ring-waiter-flag-shared',
    description: 'waiters for room in the event ring share one flag, which the consumer clears for all of them',
    locking: 'lockless-timer',
    scenario: 'ring-burst',
    kind: 'deadlock',
    options: { seedBug: () => all(awaitRoomByFlag(), drainClearsFlag()) },
  },
  {
    name: 'room-without-kick',
    description:
      'the gateway does not kick the main loop for a machine whose due work waits for room in the event ring',
    locking: 'lockless-timer',
    scenario: 'ring-full',
    kind: 'linearizability',
    options: { seedBug: () => replaced(EventShares.prototype, 'resume', () => () => {}) },
  },
  {
    name: 'released-before-returned',
    description: 'the gateway submits a request again while later ones of its machine are still in the ring',
    locking: 'lockless-timer',
    scenario: 'ring-held',
    kind: 'linearizability',
    options: { seedBug: releasedBeforeReturned },
  },
];

function awaitRoomByFlag() {
  return replaced(
    EventRing.prototype,
    'awaitRoom',
    () =>
      function (this: EventRing) {
        const { memory, address } = this;
        for (let head = this.head(); !this.hasRoom(ANY_MACHINE); head = this.head()) {
          memory.store(address + WAITERS, 1);
          this.onFull();
          memory.wait(address + HEAD, head);
        }
      },
  );
}

function releasedBeforeReturned() {
  return replaced(
    Dispatch.prototype,
    'takeBack',
    (original) =>
      function (this: Dispatch, ...result) {
        const isBack = original.apply(this, result);
        for (const held of this.held.values()) held.inRing = 0;
        return isBack;
      },
  );
}

function drainClearsFlag() {
  return replaced(
    EventRing.prototype,
    'drain',
    (original) =>
      function (this: EventRing, ...options) {
        const count = original.apply(this, options);
        if (count > 0) this.memory.exchange(this.address + WAITERS, 0);
        return count;
      },
  );
}
