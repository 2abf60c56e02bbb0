/** Time in ms, which never goes back. The simulation has one of its own for each node. */
export interface Clock {
  now(): number;
  /** Calls `work` once, in `ms`; the result cancels that. */
  after(ms: number, work: () => void): () => void;
}

/** Resolves in `ms`. */
export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}
