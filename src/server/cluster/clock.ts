import { uptime } from 'node:os';

/** Time in ms, which never goes back. The simulation has one of its own for each node. */
export interface Clock {
  now(): number;
  /** Calls `work` once, in `ms`; the result cancels that. */
  after(ms: number, work: () => void): () => void;
}

/**
 * The host's: CLOCK_MONOTONIC, or CLOCK_BOOTTIME where more time has passed by it. The first stops while the host is
 * suspended, but leases run out meanwhile.
 */
export function systemClock(): Clock {
  const [monotonic, boot] = [performance.now(), uptime() * 1000];
  return {
    now: () => Math.max(performance.now() - monotonic, uptime() * 1000 - boot),
    after: (ms, work) => {
      const timer = setTimeout(work, ms);
      return () => clearTimeout(timer);
    },
  };
}

/** Resolves in `ms`. */
export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}
