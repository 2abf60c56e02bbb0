import { SerialQueue } from '../../runtime/promises.js';
import type { VcpuDriver } from './vcpu-driver.js';

/** No vCPU driver uses this GSI for its timer or pin, and its redirection entry stays masked. */
const UNUSED_GSI = 3;

/**
 * A reply follows the events that its request caused, but an event that a timer caused shortly before can follow the
 * reply. A line change is an event of its own: its reply follows every earlier event.
 */
export class EventFence {
  readonly #queue = new SerialQueue();
  #level: 0 | 1 = 0;

  /** Resolves when the vCPU has received all interrupts that were sent to it before. */
  pass({ vcpu }: VcpuDriver): Promise<void> {
    return this.#queue.run('line', async () => {
      this.#level = this.#level === 0 ? 1 : 0;
      await vcpu.setLine(UNUSED_GSI, this.#level);
    });
  }
}
