import { CONNECTION_KINDS, type ConnectionKind } from './connections.js';

/** A connection as far as its queues go. */
export interface Flowing {
  readonly kind: ConnectionKind;
  /** Bytes that its peer has not taken. */
  readonly bufferedBytes: number;
  /** Whether its peer reads too slowly, so that events for it are counted. */
  readonly congested: boolean;
  /** Whether it is read no further. */
  readonly paused: boolean;
  /** Events that wait for its peer. */
  readonly pendingEvents: number;
}

/** What became of events that found no room. */
export interface Drops {
  /** Events that were not kept. */
  dropped: number;
  /** Gap messages that stand for them. */
  gaps: number;
}

export type ByKind<T> = Record<ConnectionKind, T>;

function byKind<T>(make: () => T): ByKind<T> {
  return Object.fromEntries(CONNECTION_KINDS.map((kind) => [kind, make()])) as ByKind<T>;
}

/** The connections of a server, and how often the limits of their queues took effect. */
export class Flow {
  readonly connections = new Set<Flowing>();
  readonly drops = byKind<Drops>(() => ({ dropped: 0, gaps: 0 }));
  /** Times that a peer came to read too slowly. */
  readonly congestions = byKind(() => 0);
  /** Times that a socket was read no further. */
  pauses = 0;

  /** A sum over the connections of each kind. */
  sums(figure: (connection: Flowing) => number): ByKind<number> {
    const sums = byKind(() => 0);
    for (const connection of this.connections) sums[connection.kind] += figure(connection);
    return sums;
  }
}
