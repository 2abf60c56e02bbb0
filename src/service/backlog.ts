/** What waits to be sent. Replies are limited by the requests that may be under way, everything else by `limit`. */
interface Waiting {
  readonly reply: boolean;
  text: string;
  /** First and last sequence number of a gap; the latter grows while the gap is at the end. */
  from?: number;
  to?: number;
}

/**
 * Messages in order for a peer that is away or reads too slowly. Events beyond the limit are not kept: a `gap` message
 * stands in their place, and says which are missing.
 */
export class Backlog {
  #waiting: Waiting[] = [];
  #events = 0;
  /** Events that were not kept. */
  dropped = 0;

  constructor(readonly limit: number) {}

  /** Messages that wait. */
  get length(): number {
    return this.#waiting.length;
  }

  /** Events that wait. */
  get events(): number {
    return this.#events;
  }

  reply(text: string): void {
    this.#waiting.push({ reply: true, text });
  }

  event(sequence: number, text: string): void {
    if (this.#events < this.limit) {
      this.#events++;
      this.#waiting.push({ reply: false, text });
      return;
    }
    this.dropped++;
    let gap = this.#waiting.at(-1);
    if (gap?.from === undefined) {
      gap = { reply: false, text: '', from: sequence };
      this.#waiting.push(gap);
    }
    gap.to = sequence;
    gap.text = JSON.stringify({ type: 'gap', from: String(gap.from), to: String(sequence) });
  }

  /** Takes the first messages until `send` returns false or none is left. */
  drain(send: (text: string) => boolean): void {
    let sent = 0;
    let goOn = true;
    for (; goOn && sent < this.#waiting.length; sent++) {
      const { reply, from, text } = this.#waiting[sent];
      if (!reply && from === undefined) this.#events--;
      goOn = send(text);
    }
    this.#waiting.splice(0, sent);
  }

  /** The peer is gone: nobody waits for its replies, while events are kept for its return. */
  forgetReplies(): void {
    this.#waiting = this.#waiting.filter(({ reply }) => !reply);
  }
}
