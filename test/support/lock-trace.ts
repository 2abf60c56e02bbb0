import { LOCK_NAMES } from '../../src/core/sync/lock-names.js';
import type { Locks } from '../../src/core/sync/locks.js';
import { NO_STATISTICS, type Statistics } from '../../src/core/sync/statistics.js';

/** Writes down every lock that a thread takes, with the locks that it holds meanwhile: `device > bql`. */
export class LockTrace {
  #locks: Locks | undefined;
  #taken: string[] = [];

  /** For the thread to be watched. */
  readonly statistics: Statistics = {
    ...NO_STATISTICS,
    acquired: (lock) => {
      const held = (this.#locks?.held ?? 0) & ~(1 << lock);
      this.#taken.push([...LOCK_NAMES.filter((_, other) => held & (1 << other)), LOCK_NAMES[lock]].join(' > '));
    },
  };

  watch(locks: Locks): void {
    this.#locks = locks;
  }

  /** What was taken since the last call; the timer list's lock, the last of all, is left out. */
  take(): string[] {
    const taken = this.#taken.filter((entry) => !entry.endsWith('timers'));
    this.#taken = [];
    return taken;
  }
}
