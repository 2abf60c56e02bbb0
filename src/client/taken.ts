import type { Acknowledged } from '../protocol/client-message.js';
import type { Gap, Interrupt, Intr, Irq, Restored } from '../protocol/server-message.js';

type Event = Interrupt | Intr | Irq | Gap | Restored;

/** Events that the application has taken, after which an acknowledgement goes out at once. */
const EVENTS_AT_ONCE = 64;
/** Timer period in ms. A pending acknowledgement is sent after at most two periods. */
const ROUND_MS = 25;

/**
 * The acknowledgement of a session: the last event that the application took, and the last reply that arrived. An event of the
 * IRQ stream may precede an interrupt of the same number, so it acknowledges only the numbers before its own.
 */
export class Taken implements Acknowledged {
  event = 0;
  reply = 0;
  /** Something is not acknowledged yet. */
  #isPending = false;
  /** It was not acknowledged when the last period ended. */
  #isOld = false;
  /** Events that are not acknowledged yet. */
  #events = 0;
  /** `restored` events that the application has not taken. Until it does, the events that it takes belong to an earlier epoch. */
  #ahead = 0;
  #rounds: ReturnType<typeof setInterval> | undefined;

  constructor(readonly acknowledge: () => void) {}

  /**
   * Whether the next request is to carry the acknowledgement. It carries that of events at once, and that of replies once a
   * round has ended: one beside each request would cost more than it is worth.
   */
  get isDue(): boolean {
    return this.#events > 0 || this.#isOld;
  }

  took(event: Event): void {
    if (event.type === 'restored') this.#ahead--;
    if (this.#ahead > 0) return;
    const whole = event.type === 'irq' ? event.sequence - 1 : numberOf(event);
    if (whole > this.event) this.event = whole;
    this.#pend();
    if (++this.#events >= EVENTS_AT_ONCE) this.flush();
  }

  replied(request: number): void {
    if (request <= this.reply) return;
    this.reply = request;
    this.#pend();
  }

  /** A new state arrived: of its events the application has taken none. */
  restored({ sequence }: Restored): void {
    this.event = sequence;
    this.#ahead++;
  }

  #pend(): void {
    this.#isPending = true;
    if (this.#rounds !== undefined) return;
    this.#rounds = setInterval(() => this.#round(), ROUND_MS);
    // Nobody has to wait for it.
    (this.#rounds as { unref?(): void }).unref?.();
  }

  #round(): void {
    if (!this.#isPending) this.stop();
    else if (this.#isOld) this.flush();
    else this.#isOld = true;
  }

  /** Acknowledges now what is not acknowledged yet. */
  flush(): void {
    if (!this.#isPending) return;
    this.carried();
    this.acknowledge();
  }

  /** It has gone out. */
  carried(): void {
    this.#isPending = false;
    this.#isOld = false;
    this.#events = 0;
  }

  /** Leaves it to the next `resume`, which says the same. */
  stop(): void {
    clearInterval(this.#rounds);
    this.#rounds = undefined;
    this.carried();
  }
}

export function numberOf(event: Event): number {
  return event.type === 'gap' ? event.to : event.sequence;
}

/** Where an event stands in the order of a connection: of one number, what is on the IRQ stream comes before what a vCPU gets. */
export function positionOf(event: Event): number {
  return 2 * numberOf(event) + (event.type === 'irq' ? 0 : 1);
}
