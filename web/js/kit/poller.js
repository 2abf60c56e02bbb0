// @ts-check
/** Does the same again and again, never twice at a time, and not while nobody looks at the page. */
export class Poller {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #round = 0;

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
    } catch {
      // The server object has reported it.
    }
    if (round !== this.#round || document.hidden) return;
    // Poll a slow server less often.
    const wait = Math.max(this.interval, 2 * (performance.now() - begun));
    this.#timer = setTimeout(() => this.#run(round), wait);
  }
}
