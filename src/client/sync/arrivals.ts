import type { Gap, Interrupt, Intr, Irq, LineLevels, Restored } from '../../protocol/server-message.js';
import type { Bell } from './bell.js';
import { END, EVENT, FRAME, LEFT_OUT, type Mailbox, MESSAGE } from './mailbox.js';

/** Events kept beside the inbox for a caller that does not call, if no other number is given. */
export const MOST_EVENTS = 65_536;

type Event = Interrupt | Intr | Irq | Gap | Restored;
type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** What waits for room in the inbox. A gap at the end grows, and so it is written last. */
type Waiting =
  | { readonly kind: number; readonly body: Uint8Array; readonly event: Event | undefined }
  | { readonly gap: Mutable<Gap>; intr: Intr | undefined };

const text = new TextEncoder();
const NONE: readonly Event[] = [];

/**
 * What arrived for the caller, in order: in the inbox as far as there is room, and then here. Of events beyond `limit` a gap
 * remains, followed by the level of INTR if it changed among them. Replies are always kept.
 */
export class Arrivals {
  #waiting: Waiting[] = [];
  #events = 0;
  #wantsRoom = false;
  /** Events in the inbox that the caller has not taken, and how many it took before the first. */
  #untaken: Event[] = [];
  #taken = 0;

  constructor(
    readonly mailbox: Mailbox,
    readonly limit: number,
    /** Of the caller, if it has one. */
    readonly bell?: Bell,
  ) {}

  /** An answer, or another frame that is no event. */
  frame(body: Uint8Array): void {
    this.#add({ kind: FRAME, body, event: undefined });
  }

  event(body: Uint8Array, event: Event): void {
    if (this.#events < this.limit) {
      this.#events++;
      this.#add({ kind: EVENT, body, event });
    } else this.#leaveOut(event);
  }

  /** The events that the caller has taken since the last call. */
  takenSince(): readonly Event[] {
    const count = (this.mailbox.taken - this.#taken) | 0;
    if (count === 0) return NONE;
    this.#taken = (this.#taken + count) | 0;
    return this.#untaken.splice(0, count);
  }

  get hasUntaken(): boolean {
    return this.#untaken.length > 0;
  }

  message(message: unknown): void {
    this.#add({ kind: MESSAGE, body: encoded(message), event: undefined });
  }

  /** Nothing more arrives, because of `error`. */
  end(error: unknown): void {
    this.#add({ kind: END, body: encoded(error), event: undefined });
  }

  #add(arrival: Waiting): void {
    this.#waiting.push(arrival);
    this.flush();
  }

  #leaveOut(event: Event): void {
    if (event.type === 'restored') {
      // What was left out before is of a state that is no more; this must not be.
      this.#add({ kind: LEFT_OUT, body: encoded(event), event });
      this.#events++;
      return;
    }
    const [from, to] = event.type === 'gap' ? [event.from, event.to] : [event.sequence, event.sequence];
    let last = this.#waiting.at(-1);
    if (!last || !('gap' in last)) {
      last = { gap: { type: 'gap', from, to }, intr: undefined };
      this.#waiting.push(last);
    }
    last.gap.to = to;
    const lines: LineLevels | undefined = event.type === 'gap' ? event.lines : undefined;
    if (lines) last.gap.lines = lines;
    if (event.type === 'intr') last.intr = event;
    else if (event.type === 'gap' && event.intr !== undefined)
      last.intr = { type: 'intr', sequence: to, level: event.intr };
  }

  /** Moves what waits into the inbox, as far as there is room; whether that is all. */
  flush(): boolean {
    let isDone = this.#move();
    if (!isDone && !this.#wantsRoom) {
      this.#wantsRoom = this.mailbox.wantsRoom = true;
      isDone = this.#move();
    }
    if (isDone && this.#wantsRoom) this.#wantsRoom = this.mailbox.wantsRoom = false;
    this.bell?.arrived();
    return isDone;
  }

  #move(): boolean {
    const { inbox } = this.mailbox;
    let moved = 0;
    for (; moved < this.#waiting.length; moved++) {
      const arrival = this.#waiting[moved];
      if ('gap' in arrival) {
        const { gap, intr } = arrival;
        if (!inbox.push(LEFT_OUT, 0, encoded(gap))) break;
        this.#untaken.push(gap);
        if (!intr) continue;
        const last = { ...intr, sequence: gap.to };
        this.#waiting[moved--] = { kind: LEFT_OUT, body: encoded(last), event: last };
        this.#events++;
      } else if (!inbox.push(arrival.kind, 0, arrival.body)) break;
      else if (arrival.event) {
        this.#events--;
        this.#untaken.push(arrival.event);
      }
    }
    this.#waiting.splice(0, moved);
    return this.#waiting.length === 0 && inbox.flush();
  }
}

function encoded(value: unknown): Uint8Array {
  return text.encode(JSON.stringify(value));
}
