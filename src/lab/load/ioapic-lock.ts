import { SerialQueue } from '../../runtime/promises.js';
import { entryIndex, IOREGSEL, IOWIN } from './registers.js';
import type { VcpuDriver } from './vcpu-driver.js';

/** IOREGSEL and IOWIN need two accesses. Guests hold a lock around them (`ioapic_lock` in Linux), and so do these vCPUs. */
export class IoapicLock {
  readonly #queue = new SerialQueue();

  /** Writes the low half of a pin's redirection entry; resolves when the write has completed. */
  writeLow(driver: VcpuDriver, pin: number, low: number): Promise<void> {
    return this.#queue.run('ioapic', async () => {
      driver.post(IOREGSEL, 4, entryIndex(pin));
      await driver.write(IOWIN, 4, low);
    });
  }

  /** Writes both halves, the destination first. */
  write(driver: VcpuDriver, pin: number, low: number, destination: number): Promise<void> {
    return this.#queue.run('ioapic', async () => {
      driver.post(IOREGSEL, 4, entryIndex(pin) + 1);
      driver.post(IOWIN, 4, destination * 2 ** 24);
      driver.post(IOREGSEL, 4, entryIndex(pin));
      await driver.write(IOWIN, 4, low);
    });
  }
}
