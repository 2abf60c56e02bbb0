import type { ServerMessage } from '../../protocol/server-message.js';

/** Messages that are taken from the front, in steps, so that each costs the same however many there are. */
const COMPACT_AT = 1024;

/**
 * Messages in order: first those that were sent, then those that wait. Arrays side by side, so that one more message is no
 * further object.
 */
export class MessageQueue {
  #messages: ServerMessage[] = [];
  /** Of a reply that of its request, of an event its own. Each is at least the one before. */
  #numbers: number[] = [];
  #orders: number[] = [];
  #first = 0;
  #next = 0;

  get waiting(): number {
    return this.#messages.length - this.#next;
  }

  get isEmpty(): boolean {
    return this.#first === this.#messages.length;
  }

  /** The order of the first that waits; infinity if none does. */
  get nextOrder(): number {
    return this.#next < this.#messages.length ? this.#orders[this.#next] : Number.POSITIVE_INFINITY;
  }

  push(message: ServerMessage, number: number, order: number): void {
    this.#messages.push(message);
    this.#numbers.push(number);
    this.#orders.push(order);
  }

  renumberLast(number: number): void {
    this.#numbers[this.#numbers.length - 1] = number;
  }

  /** The first that waits, which is sent now. One must wait. */
  next(): ServerMessage {
    return this.#messages[this.#next++];
  }

  /** Drops those that were sent; returns how many, but gaps. */
  dropSent(): number {
    return this.#drop(this.#next);
  }

  /** Drops those that were sent with numbers up to this one; returns how many, but gaps. */
  dropTo(number: number): number {
    let end = this.#first;
    while (end < this.#next && this.#numbers[end] <= number) end++;
    return this.#drop(end);
  }

  #drop(end: number): number {
    let dropped = 0;
    for (; this.#first < end; this.#first++) {
      if (this.#messages[this.#first].type !== 'gap') dropped++;
      // The array keeps its length for now, but not what may be large.
      this.#messages[this.#first] = NOTHING;
    }
    if (end >= COMPACT_AT) this.#compact();
    return dropped;
  }

  #compact(): void {
    this.#messages = this.#messages.slice(this.#first);
    this.#numbers = this.#numbers.slice(this.#first);
    this.#orders = this.#orders.slice(this.#first);
    this.#next -= this.#first;
    this.#first = 0;
  }

  allSent(): void {
    this.#next = this.#messages.length;
  }

  /** All wait again. */
  rewind(): void {
    this.#next = this.#first;
  }

  /** Keeps some; returns how many others there were, but gaps. */
  filter(keeps: (message: ServerMessage) => boolean): number {
    let dropped = 0;
    const queue = new MessageQueue();
    for (let index = this.#first; index < this.#messages.length; index++) {
      const message = this.#messages[index];
      if (!keeps(message)) {
        if (message.type !== 'gap') dropped++;
        continue;
      }
      queue.push(message, this.#numbers[index], this.#orders[index]);
      if (index < this.#next) queue.#next++;
    }
    this.#messages = queue.#messages;
    this.#numbers = queue.#numbers;
    this.#orders = queue.#orders;
    this.#first = 0;
    this.#next = queue.#next;
    return dropped;
  }

  entries(): { readonly message: ServerMessage; readonly number: number; readonly order: number }[] {
    return this.#messages
      .map((message, index) => ({ message, number: this.#numbers[index], order: this.#orders[index] }))
      .slice(this.#first);
  }
}

const NOTHING: ServerMessage = { type: 'reply', id: 0 };
