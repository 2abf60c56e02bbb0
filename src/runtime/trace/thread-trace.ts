import { summarize } from '../../core/machine/events.js';
import type { EventWords } from '../../core/memory/event-words.js';
import type { Memory } from '../../core/memory/memory.js';
import { type TraceMap, traceRingAt } from '../memory/trace-map.js';
import { TraceRing, whatOf } from '../memory/trace-ring.js';
import * as kinds from './kinds.js';

/** Writes down what one thread does in a machine that is traced. Times are host time in ns, in the order of the calls. */
export class ThreadTrace {
  readonly #ring: TraceRing;
  /** When the interrupt event that is being emitted happened. */
  #interruptAt = 0;

  constructor(shared: Memory, map: TraceMap, thread: number) {
    this.#ring = new TraceRing(shared, traceRingAt(map, thread), map.traceRecords);
  }

  /** What follows happens in the machine at this word address. */
  select(base: number): void {
    this.#ring.machine = base;
  }

  holdBegins(time: number, lock: number, site: number): void {
    this.#ring.write(time, whatOf(kinds.HOLD_BEGINS, lock, site), 0, 0);
  }

  holdEnds(time: number, lock: number): void {
    this.#ring.write(time, whatOf(kinds.HOLD_ENDS, lock), 0, 0);
  }

  waitBegins(time: number, lock: number, site: number, held: number, holder: number, holderSite: number): void {
    this.#ring.write(time, whatOf(kinds.WAIT_BEGINS, lock, site), holder | (holderSite << 8), held);
  }

  waitEnds(time: number, lock: number, site: number, taken: boolean): void {
    this.#ring.write(time, whatOf(kinds.WAIT_ENDS, lock, site), taken ? 1 : 0, 0);
  }

  accessBegins(time: number, site: number, address: number, size: number): void {
    this.#ring.write(time, whatOf(kinds.ACCESS_BEGINS, 0, site), address, size);
  }

  accessEnds(time: number, site: number): void {
    this.#ring.write(time, whatOf(kinds.ACCESS_ENDS, 0, site), 0, 0);
  }

  callbackBegins(time: number, timer: number, lateness: number): void {
    this.#ring.number = lateness;
    this.#ring.write(time, kinds.CALLBACK_BEGINS, timer, 0);
  }

  callbackEnds(time: number): void {
    this.#ring.write(time, kinds.CALLBACK_ENDS, 0, 0);
  }

  /** Called before other threads can see the event, so that its delivery is never earlier. */
  interrupt(time: number): void {
    this.#interruptAt = time;
  }

  emitted(position: number, event: Readonly<EventWords>): void {
    this.#ring.write(this.#interruptAt, kinds.INTERRUPT, position, summarize(event));
  }

  deliveryBegins(time: number, position: number, kind: number): void {
    this.#ring.write(time, kinds.DELIVERY_BEGINS, position, kind);
  }

  deliveryEnds(time: number): void {
    this.#ring.write(time, kinds.DELIVERY_ENDS, 0, 0);
  }

  deadlock(time: number, refused: boolean): void {
    this.#ring.write(time, kinds.DEADLOCK, refused ? 1 : 0, 0);
  }
}
