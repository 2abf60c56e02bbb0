import type { Credit } from '../../protocol/server-message.js';

/** Counts completed posted writes: their client gets no other sign that it may send more. */
export class PostedCredit {
  enabled = false;
  #done = 0;

  constructor(
    /** Fewest writes that one message reports. */
    readonly quantum: number,
  ) {}

  /** One more is completed; returns the message that is due, if any. */
  take(): Credit | undefined {
    if (!this.enabled || ++this.#done < this.quantum) return undefined;
    const requests = this.#done;
    this.#done = 0;
    return { type: 'credit', requests };
  }
}
