import type { Memory } from '../../core/memory/memory.js';
import { BootClock } from './boot-clock.js';

/** Values of the word that are no deadlines. */
const NO_LEASE = 0;
const EXPIRED = 1;

/** ms of one unit of a deadline: the word tells past from future for 248 days. */
const UNIT = 10;

/**
 * The lease of this process's node, as its threads see it: a word of shared memory with the deadline until which they may
 * execute and send. Without a cluster there is no lease, and no thread reads a clock.
 */
export class LeaseWord {
  constructor(
    readonly shared: Memory,
    readonly at: number,
    readonly clock: Pick<BootClock, 'now'> = new BootClock(),
  ) {}

  /** Whether this process may act for its machines. Threads ask before each step. */
  get isHeld(): boolean {
    const until = this.shared.load(this.at);
    return until === NO_LEASE || this.#isBefore(until);
  }

  #isBefore(until: number): boolean {
    return until !== EXPIRED && ((until - Math.ceil(this.clock.now() / UNIT)) | 0) > 0;
  }

  /** The lease ends at this time of the clock. Returns whether threads may have seen the one before run out. */
  hold(until: number): boolean {
    const units = Math.floor(until / UNIT) | 0;
    const before = this.shared.exchange(this.at, units === NO_LEASE || units === EXPIRED ? -1 : units);
    return before !== NO_LEASE && !this.#isBefore(before);
  }

  /** Nothing may be executed or sent until the next `hold`. */
  expire(): void {
    this.shared.store(this.at, EXPIRED);
  }
}
