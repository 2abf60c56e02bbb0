import type { Station } from './station.js';
import { Turns } from './turns.js';

/** No timer and no pin of a station uses it, and its redirection entry stays masked. */
const UNUSED_GSI = 3;

/**
 * A reply comes after what its request caused, and says nothing about what a timer caused shortly before. A line that
 * changes is an event of its own: when that is answered, so has been handed over whatever happened before.
 */
export class EventFence {
  readonly #turns = new Turns();
  #level: 0 | 1 = 0;

  /** Resolves when the vCPU has received all interrupts that were sent to it before. */
  pass({ vcpu }: Station): Promise<void> {
    return this.#turns.take(async () => {
      this.#level = this.#level === 0 ? 1 : 0;
      await vcpu.setLine(UNUSED_GSI, this.#level);
    });
  }
}
