// @ts-check
/** Between two rounds after failures, ms. */
const LEAST_MS = 250;
const MOST_MS = 8000;

/** Does the same again and again, never twice at a time, and not while nobody looks at the page. */
export class Poller {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #round = 0;
  /** Rounds that failed one after the other. */
  #failures = 0;

  /**
   * @param {() => Promise<unknown>} work
   * @param {number} interval ms from the end of one round to the next
   */
  constructor(work, interval) {
    this.work = work;
    this.interval = interval;
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden && this.isRunning) this.start();
    });
  }

  isRunning = false;

  start() {
    this.stop();
    this.isRunning = true;
    this.#failures = 0;
    this.#run(this.#round);
  }

  stop() {
    this.isRunning = false;
    this.#round++;
    clearTimeout(this.#timer);
  }

  /** @param {number} round */
  async #run(round) {
    const begun = performance.now();
    try {
      await this.work();
      this.#failures = 0;
    } catch {
      // The server object has reported it.
      this.#failures++;
    }
    if (round !== this.#round || document.hidden) return;
    // Poll a slow server less often.
    const slow = Math.max(this.interval, 2 * (performance.now() - begun));
    // A server that is away, and a machine that is gone, less and less often.
    const wait = this.#failures === 0 ? slow : Math.max(slow, Math.min(MOST_MS, LEAST_MS * 2 ** this.#failures));
    this.#timer = setTimeout(() => this.#run(round), wait);
  }
}
