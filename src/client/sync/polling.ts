import { availableParallelism } from 'node:os';

/** On a single core, polling would only keep the awaited thread from running. */
const CORES = availableParallelism();

/**
 * Whether to look for something before one sleeps until it comes, as hypervisors do before they halt a processor: to be
 * woken can take longer than all that was waited for. It is only done while waits turn out to be short.
 */
export class Polling {
  #isWorthwhile = false;

  constructor(
    /** For how many milliseconds it looks. */
    readonly duration: number,
    /** After a sleep that took up to this, in milliseconds, it is tried; it goes on while it does not last to its end. */
    readonly short: number,
  ) {}

  /** Whether the next wait begins with looking. */
  get isWorthwhile(): boolean {
    return this.#isWorthwhile;
  }

  /** How long a wait took, asleep or not. */
  waited(duration: number): void {
    this.#isWorthwhile = CORES > 1 && duration <= (this.#isWorthwhile ? this.duration : this.short);
  }
}
