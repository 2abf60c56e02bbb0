import { setMaxListeners } from 'node:events';
import { setTimeout as delay, setImmediate as poll } from 'node:timers/promises';

/** In ms. Node's timers can be this late, so the last part of a wait polls. */
const COARSE_MS = 1.5;

/** Measures and limits the time of a run. */
export class RunClock {
  /** `performance.now`. */
  readonly begin = performance.now();
  readonly #over = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #end: number | undefined;

  constructor(ms: number) {
    this.#timer = setTimeout(() => this.end(), ms);
    // Every vCPU can wait at the same time.
    setMaxListeners(0, this.#over.signal);
  }

  get isOver(): boolean {
    return this.#end !== undefined;
  }

  /** Milliseconds since the begin; after the end, the duration of the run. */
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
    while (!this.isOver && performance.now() < time) await poll();
  }
}
