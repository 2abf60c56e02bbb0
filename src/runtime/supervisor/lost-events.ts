import type { EventRing } from '../events/event-ring.js';

/** The threads around the repair. */
export interface LostEventPorts {
  /** Numbers of the threads that are alive. */
  threads(): Iterable<number>;
  isEmitting(thread: number): boolean;
  /** Has `again` called some time later, once: long enough for a thread's writes to be seen by all. */
  later(again: () => void): void;
}

/**
 * A thread that dies while it writes an event leaves a record that is never complete, and all events behind it would
 * wait forever. No lock names the writer of a record. So this waits until it has seen each other thread write no event,
 * once each: any record that began earlier and is still incomplete then belongs to the dead thread.
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
