import { availableParallelism } from 'node:os';

/** On a single core, polling would only keep the awaited thread from running. */
const CORES = availableParallelism();

/**
 * Decides whether to poll before sleeping, as hypervisors do before they halt a processor. Polling pays while waits are
 * shorter than a wakeup.
 */
export class Polling {
  #isWorthwhile = false;

  constructor(
    /** Polls for this many ms. */
    readonly duration: number,
    /** Polling starts after a sleep of at most this many ms. It stops after a poll that times out. */
    readonly short: number,
  ) {}

  /** Whether the next wait begins with polling. */
  get isWorthwhile(): boolean {
    return this.#isWorthwhile;
  }

  /** `duration` of a wait in ms, whether it polled or slept. */
  waited(duration: number): void {
    this.#isWorthwhile = CORES > 1 && duration <= (this.#isWorthwhile ? this.duration : this.short);
  }
}
