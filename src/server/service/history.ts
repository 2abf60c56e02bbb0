import type { IrqEvent } from './irq-event.js';

/** The last events of a machine, for subscribers who come back. */
export class History {
  #events: IrqEvent[] = [];

  constructor(
    /** Most events kept. */
    readonly limit: number,
  ) {}

  keep(event: IrqEvent): void {
    this.#events.push(event);
    // Cut off in one go: a shift per event would move the whole list each time.
    if (this.#events.length >= 2 * this.limit) this.#events = this.#events.slice(this.#events.length - this.limit);
  }

  clear(): void {
    this.#events = [];
  }

  /** The events after number `sequence` that are kept. */
  after(sequence: number): readonly IrqEvent[] {
    const kept = this.#events.slice(Math.max(0, this.#events.length - this.limit));
    return kept.filter((event) => event.sequence > sequence);
  }
}
