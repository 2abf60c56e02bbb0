import type { EventRing } from '../events/event-ring.js';

/** What mending needs of the threads around it. */
export interface LostEventPorts {
  /** Numbers of the threads that live. */
  threads(): Iterable<number>;
  isEmitting(thread: number): boolean;
  /** Has `again` called some time later, once: long enough for a thread's writes to be seen by all. */
  later(again: () => void): void;
}

/**
 * A thread that dies while it writes an event leaves a record that is never complete, and all events behind it would
 * wait for ever. No lock tells whose record it is: so every other thread is seen to write none, once each, and what is
 * incomplete then of the events before that was left by the dead.
 */
export function mendEvents(events: EventRing, ports: LostEventPorts, done: () => void): void {
  const end = events.tail();
  const unseen = new Set(ports.threads());
  const look = () => {
    const alive = new Set(ports.threads());
    for (const thread of unseen) if (!alive.has(thread) || !ports.isEmitting(thread)) unseen.delete(thread);
    if (unseen.size > 0) {
      ports.later(look);
      return;
    }
    // Once more later: the end of an event may be seen before the event.
    ports.later(() => {
      events.giveUp(end);
      done();
    });
  };
  look();
}
