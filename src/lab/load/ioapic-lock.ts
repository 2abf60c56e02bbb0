import { entryIndex, IOREGSEL, IOWIN } from './registers.js';
import type { Station } from './station.js';
import { Turns } from './turns.js';

/** IOREGSEL and IOWIN are two accesses: guests take a lock around them (`ioapic_lock` in Linux), and so do these vCPUs. */
export class IoapicLock {
  readonly #turns = new Turns();

  /** Writes the low half of a pin's redirection entry; resolves when it is done. */
  writeLow(station: Station, pin: number, low: number): Promise<void> {
    return this.#turns.take(async () => {
      station.post(IOREGSEL, 4, entryIndex(pin));
      await station.write(IOWIN, 4, low);
    });
  }

  /** Writes both halves, the destination first. */
  write(station: Station, pin: number, low: number, destination: number): Promise<void> {
    return this.#turns.take(async () => {
      station.post(IOREGSEL, 4, entryIndex(pin) + 1);
      station.post(IOWIN, 4, destination * 2 ** 24);
      station.post(IOREGSEL, 4, entryIndex(pin));
      await station.write(IOWIN, 4, low);
    });
  }
}
