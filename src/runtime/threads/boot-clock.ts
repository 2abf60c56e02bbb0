import { uptime } from 'node:os';
import { hrtime } from 'node:process';

/** A suspend of the host moves the wall clock away from CLOCK_MONOTONIC; a shorter one, in ms, is not noticed. */
const SHORTEST_SUSPEND = 20;

/**
 * Host time in ms that goes on while the host is suspended. CLOCK_MONOTONIC stops then, and CLOCK_BOOTTIME takes tens of µs to
 * read. So this clock reads CLOCK_BOOTTIME again only when the wall clock has jumped. All threads of a process agree on it.
 */
export class BootClock {
  /** The wall clock less CLOCK_MONOTONIC, at the last reading of CLOCK_BOOTTIME. */
  #ahead = Number.NaN;
  /** CLOCK_BOOTTIME less CLOCK_MONOTONIC. */
  #suspended = Number.NEGATIVE_INFINITY;

  constructor(
    readonly monotonic = monotonicMs,
    readonly wall = Date.now,
    readonly boot = () => uptime() * 1000,
  ) {}

  /** Never goes back. */
  now(): number {
    const monotonic = this.monotonic();
    const ahead = this.wall() - monotonic;
    if (!(Math.abs(ahead - this.#ahead) < SHORTEST_SUSPEND)) {
      this.#ahead = ahead;
      this.#suspended = Math.max(this.#suspended, this.boot() - monotonic);
    }
    return monotonic + this.#suspended;
  }
}

function monotonicMs(): number {
  const time = hrtime();
  return time[0] * 1000 + time[1] / 1e6;
}
