import type { Gap, LineLevels, ServerMessage } from '../../protocol/server-message.js';
import type { Drops } from './flow.js';
import { MessageQueue } from './message-queue.js';

/** A message of a backlog: a reply with the number of its request, or an event. */
export interface Kept {
  readonly request: number | undefined;
  readonly message: ServerMessage;
}

type GrowingGap = { -readonly [Key in keyof Gap]: Gap[Key] };

/** For `acknowledge`: no event. */
export const NO_EVENT = -1;

/**
 * Messages in order for a peer that is away or reads too slowly. Events beyond the limit are not kept: a `gap` message
 * stands in their place, and says which are missing. The limit of requests in flight bounds replies.
 */
export class Backlog {
  /** Whether messages stay after they were sent, until they are acknowledged: version 1.1. */
  retains = false;
  /** Events that were not kept. */
  dropped = 0;
  readonly #replies = new MessageQueue();
  readonly #events = new MessageQueue();
  /** Messages so far: the order between the two queues. */
  #order = 0;
  /** Events that are kept, but gaps. */
  #count = 0;
  /** The last message, or the last event if messages are retained, if it is a gap that was not sent: it grows. */
  #gap: GrowingGap | undefined;

  constructor(
    readonly limit: number,
    /** The lines right after the latest event. */
    readonly lines: () => LineLevels,
    /** Likewise the output of the 8259 pair, for vCPU 0. */
    readonly intr: (() => number) | undefined,
    /** Counts for the whole server. */
    readonly drops?: Drops,
  ) {}

  /** Messages that wait to be sent. */
  get length(): number {
    return this.#replies.waiting + this.#events.waiting;
  }

  /** Events that wait to be sent, or to be acknowledged. */
  get events(): number {
    return this.#count;
  }

  /** `request`: the number of the request in its session. */
  reply(message: ServerMessage, request = 0): void {
    if (!this.retains) this.#gap = undefined;
    this.#replies.push(message, request, this.#order++);
  }

  /** Keeps an event until it is sent, or acknowledged. False if there is no room: a gap stands for it. */
  event(sequence: number, message: ServerMessage): boolean {
    if (this.#hasRoom) {
      this.#add(sequence, message);
      return true;
    }
    this.dropped++;
    if (this.drops) this.drops.dropped++;
    this.#leaveOut(sequence);
    return false;
  }

  #leaveOut(sequence: number): void {
    if (!this.#gap) {
      const gap: GrowingGap = { type: 'gap', from: sequence, to: sequence };
      this.#add(sequence, gap);
      this.#gap = gap;
      if (this.drops) this.drops.gaps++;
    }
    this.#gap.to = sequence;
    this.#gap.lines = this.lines();
    // A client of version 1 has it from its hello.
    if (this.retains && this.intr) this.#gap.intr = this.intr();
    this.#events.renumberLast(sequence);
  }

  #add(sequence: number, message: ServerMessage): void {
    if (message.type !== 'gap') this.#count++;
    this.#gap = undefined;
    this.#events.push(message, sequence, this.#order++);
  }

  /** The state was replaced: drops all events, and keeps this message in their place. */
  replaceEvents(sequence: number, message: ServerMessage): void {
    this.filterEvents(() => false);
    this.#add(sequence, message);
  }

  /** Whether the next event is a gap that still grows: the client has acknowledged nothing since. Replies pass it. */
  get #isGapNext(): boolean {
    return this.retains && this.#gap !== undefined && this.#events.waiting === 1 && !this.#hasRoom;
  }

  /** In a session, one event at least is on its way: nothing would be acknowledged otherwise. */
  get #hasRoom(): boolean {
    return this.#count < this.limit || (this.retains && this.#count === 0);
  }

  /** Sends the first messages until `send` returns false or none waits. */
  drain(send: (message: ServerMessage) => boolean): void {
    for (let goOn = true; goOn; ) {
      const reply = this.#replies.nextOrder;
      const event = this.#isGapNext ? Number.POSITIVE_INFINITY : this.#events.nextOrder;
      if (reply < event) {
        const message = this.#replies.next();
        if (!this.retains) this.#replies.dropSent();
        goOn = send(message);
      } else if (event === Number.POSITIVE_INFINITY) return;
      else {
        this.#gap = undefined;
        const message = this.#events.next();
        if (!this.retains) this.#count -= this.#events.dropSent();
        goOn = send(message);
      }
    }
  }

  /** Forgets what was sent of the events up to number `event`, and of the replies to requests up to number `reply`. */
  acknowledge(event: number, reply: number): void {
    this.#replies.dropTo(reply);
    this.#count -= this.#events.dropTo(event);
    if (this.#events.isEmpty) this.#gap = undefined;
  }

  /** A new connection: what is not acknowledged is to be sent again. What replaced the state has a message of its own then. */
  rewind(event: number, reply: number): void {
    // A server before this one may have sent any of them.
    this.#replies.allSent();
    this.#events.allSent();
    this.acknowledge(event, reply);
    this.filterEvents(({ type }) => type !== 'restored');
    this.#replies.rewind();
    this.#events.rewind();
  }

  filterEvents(keeps: (message: ServerMessage) => boolean): void {
    this.#gap = undefined;
    this.#count -= this.#events.filter(keeps);
  }

  /** Nobody waits for the replies, while events are kept for the return of the peer. */
  forgetReplies(): void {
    this.#replies.filter(() => false);
  }

  /** All messages, in order. */
  get kept(): readonly Kept[] {
    const kept = [
      ...this.#replies.entries().map(({ number, ...entry }) => ({ ...entry, request: number })),
      ...this.#events.entries().map((entry) => ({ ...entry, request: undefined })),
    ];
    return kept.sort((a, b) => a.order - b.order).map(({ request, message }) => ({ request, message }));
  }
}
