import { availableParallelism } from 'node:os';

/** Looks between two at the clock. */
const LOOKS = 50;
/** On a single core, looking would only keep away whoever is waited for. */
const CORES = availableParallelism();

/**
 * Looking at a word of shared memory before one sleeps on it, as hypervisors do before they halt a processor: to be woken on
 * another core can take longer than all that was waited for. It is only done while waits turn out to be short.
 */
export class Polling {
  #isWorthwhile = false;

  constructor(
    readonly words: Int32Array<SharedArrayBuffer>,
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

  /** Looks until the word is no longer `value`; false if it still is. */
  look(word: number, value: number): boolean {
    const { words } = this;
    const end = performance.now() + this.duration;
    do {
      for (let look = 0; look < LOOKS; look++) if (Atomics.load(words, word) !== value) return true;
    } while (performance.now() < end);
    return false;
  }
}
