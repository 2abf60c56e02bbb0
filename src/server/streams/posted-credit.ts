import type { Credit } from '../../protocol/server-message.js';

/** Counts posted writes that are done: nothing else tells a client that it may send more. */
export class PostedCredit {
  enabled = false;
  #done = 0;

  constructor(
    /** Writes that one message tells of, at least. */
    readonly quantum: number,
  ) {}

  /** One more is done; returns what the client is to be told now. */
  take(): Credit | undefined {
    if (!this.enabled || ++this.#done < this.quantum) return undefined;
    const requests = this.#done;
    this.#done = 0;
    return { type: 'credit', requests };
  }
}
