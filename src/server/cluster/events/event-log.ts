/** A record of a machine, as the stream has it. Positions grow over the whole stream. */
export interface LoggedRecord {
  readonly position: number;
  readonly data: Uint8Array;
}

/** The stream of events that all nodes of a cluster share: records in order, by machine. */
export interface EventLog {
  /** The last record of a machine, from the leader. */
  last(machine: string): Promise<LoggedRecord | undefined>;
  /**
   * Appends a record of a machine whose last one is at `expected` (0: it has none); returns its position. Throws `Conflict`
   * if another is the last, and then nothing was appended; after any other error it may have been, or may be later.
   */
  append(machine: string, data: Uint8Array, expected: number): Promise<number>;
  /** The records of a machine from a position on, as they come, until `signal` aborts. */
  read(machine: string, from: number, signal: AbortSignal): AsyncIterable<LoggedRecord>;
}
