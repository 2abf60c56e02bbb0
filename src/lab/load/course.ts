import { setMaxListeners } from 'node:events';
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';

/** A timer of Node may be this late; what is left is spent turning. In ms. */
const COARSE_MS = 1.5;

/** The time of a run, from its begin until it is over. */
export class Course {
  /** `performance.now`. */
  readonly begin = performance.now();
  readonly #over = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #end: number | undefined;

  constructor(ms: number) {
    this.#timer = setTimeout(() => this.end(), ms);
    // As many may wait as there are vCPUs.
    setMaxListeners(0, this.#over.signal);
  }

  get isOver(): boolean {
    return this.#end !== undefined;
  }

  /** Milliseconds since the begin; after the end, how long it took. */
  get elapsed(): number {
    return (this.#end ?? performance.now()) - this.begin;
  }

  end(): void {
    this.#end ??= performance.now();
    clearTimeout(this.#timer);
    this.#over.abort();
  }

  /** Resolves at a time (`performance.now`), or when the run is over. */
  async until(time: number): Promise<void> {
    const left = time - performance.now();
    if (left > COARSE_MS) await delay(left - COARSE_MS, undefined, { signal: this.#over.signal }).catch(() => {});
    while (!this.isOver && performance.now() < time) await turn();
  }
}
