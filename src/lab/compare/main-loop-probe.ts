import type { RecordableHistogram } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { durationHistogram, recordDuration } from './histogram.js';

const INTERVAL_MS = 2;

/** Requests work of the main loop at intervals, and times each request from its intended start. */
export class MainLoopProbe {
  readonly #times = durationHistogram();
  readonly #ended: Promise<void>;
  #runs = true;

  private constructor(request: () => Promise<void>) {
    this.#ended = this.#run(request);
  }

  static start(request: () => Promise<void>): MainLoopProbe {
    return new MainLoopProbe(request);
  }

  /** Resolves with the times in ns, after the last request. */
  async end(): Promise<RecordableHistogram> {
    this.#runs = false;
    await this.#ended;
    return this.#times;
  }

  async #run(request: () => Promise<void>): Promise<void> {
    let intended = performance.now();
    while (this.#runs) {
      intended += INTERVAL_MS;
      const idle = intended - performance.now();
      // Timers of Node are precise to 1 ms, which is no fault of the main loop.
      if (idle > 0) {
        await setTimeout(idle);
        intended = performance.now();
      }
      await request();
      recordDuration(this.#times, (performance.now() - intended) * 1e6);
    }
  }
}
