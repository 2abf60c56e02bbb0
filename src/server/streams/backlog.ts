import type { Gap, LineLevels, ServerMessage } from '../../protocol/server-message.js';
import type { Drops } from './flow.js';

/** A message that waits. The limit of requests in flight bounds replies, and `limit` bounds everything else. */
interface Waiting {
  readonly reply: boolean;
  readonly message: ServerMessage;
  /** The message, if it is a gap: it grows while it is at the end. */
  readonly gap?: { -readonly [Key in keyof Gap]: Gap[Key] };
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

  constructor(
    readonly limit: number,
    /** The lines right after the latest event. */
    readonly lines: () => LineLevels,
    /** Counts for the whole server. */
    readonly drops?: Drops,
  ) {}

  /** Messages that wait. */
  get length(): number {
    return this.#waiting.length;
  }

  /** Events that wait. */
  get events(): number {
    return this.#events;
  }

  reply(message: ServerMessage): void {
    this.#waiting.push({ reply: true, message });
  }

  event(sequence: number, message: ServerMessage): void {
    if (this.#events < this.limit) {
      this.#events++;
      this.#waiting.push({ reply: false, message });
      return;
    }
    this.dropped++;
    if (this.drops) this.drops.dropped++;
    const last = this.#waiting.at(-1)?.gap;
    if (last) {
      last.to = sequence;
      last.lines = this.lines();
      return;
    }
    if (this.drops) this.drops.gaps++;
    const gap = { type: 'gap' as const, from: sequence, to: sequence, lines: this.lines() };
    this.#waiting.push({ reply: false, message: gap, gap });
  }

  /** Takes the first messages until `send` returns false or none is left. */
  drain(send: (message: ServerMessage) => boolean): void {
    let sent = 0;
    let goOn = true;
    for (; goOn && sent < this.#waiting.length; sent++) {
      const { reply, gap, message } = this.#waiting[sent];
      if (!reply && !gap) this.#events--;
      goOn = send(message);
    }
    this.#waiting.splice(0, sent);
  }

  /** The peer is gone: nobody waits for its replies, while events are kept for its return. */
  forgetReplies(): void {
    this.#waiting = this.#waiting.filter(({ reply }) => !reply);
  }
}
