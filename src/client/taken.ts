import type { Gap, Interrupt, Intr, Irq, Restored } from '../protocol/server-message.js';

type Event = Interrupt | Intr | Irq | Gap | Restored;

/** Events that the application has taken, after which an acknowledgement goes out at once. */
const EVENTS_AT_ONCE = 64;
/** Milliseconds after which it goes out at the latest. */
const ACK_MS = 50;

/**
 * What is to be acknowledged in a session: the last event that the application took, and the last reply that came. An event
 * of the IRQ stream may have an interrupt of the same number behind it, and counts with that.
 */
export class Taken {
  event = 0;
  reply = 0;
  #events = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly acknowledge: () => void) {}

  took(event: Event): void {
    const whole = event.type === 'irq' ? event.sequence - 1 : numberOf(event);
    if (whole > this.event) this.event = whole;
    if (++this.#events >= EVENTS_AT_ONCE) this.flush();
    else this.#flushSoon();
  }

  replied(request: number): void {
    if (request <= this.reply) return;
    this.reply = request;
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.flush(), ACK_MS);
    // Nobody has to wait for it.
    (this.#timer as { unref?(): void }).unref?.();
  }

  /** Acknowledges now what is not acknowledged yet. */
  flush(): void {
    if (this.#timer === undefined) return;
    this.stop();
    this.acknowledge();
  }

  /** Leaves it to the next `resume`, which says the same. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#events = 0;
  }
}

export function numberOf(event: Event): number {
  return event.type === 'gap' ? event.to : event.sequence;
}

/** Where an event stands in the order of a connection: of one number, what is on the IRQ stream comes before what a vCPU gets. */
export function positionOf(event: Event): number {
  return 2 * numberOf(event) + (event.type === 'irq' ? 0 : 1);
}
