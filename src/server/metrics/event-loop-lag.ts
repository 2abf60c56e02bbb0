import { ObservedDurations } from './durations.js';

const INTERVAL_MS = 100;

/** Lateness of the gateway's timers in ns, measured with a timer that fires ten times a second. */
export class EventLoopLag {
  readonly durations = new ObservedDurations();
  readonly #timer: NodeJS.Timeout;
  #due = performance.now() + INTERVAL_MS;

  constructor() {
    this.#timer = setInterval(() => this.#observe(), INTERVAL_MS).unref();
  }

  #observe(): void {
    const now = performance.now();
    this.durations.observe(Math.max(0, now - this.#due) * 1e6);
    this.#due = now + INTERVAL_MS;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
