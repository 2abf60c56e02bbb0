import { type EventWords, summarize } from '../../core/machine/events.js';
import type { Memory } from '../../core/memory/memory.js';
import * as kinds from './kinds.js';
import { type TraceMap, traceRingAt } from './trace-map.js';
import { TraceRing } from './trace-ring.js';

/** Writes down what one thread does in a machine that is traced. Times are host time in ns, in the order of the calls. */
export class ThreadTrace {
  readonly #ring: TraceRing;
  #machine = 0;
  /** When the interrupt event that is being emitted happened. */
  #interruptAt = 0;

  constructor(shared: Memory, map: TraceMap, thread: number) {
    this.#ring = new TraceRing(shared, traceRingAt(map, thread), map.traceRecords);
  }

  /** What follows happens in the machine at this word address. */
  select(base: number): void {
    this.#machine = base;
  }

  holdBegins(time: number, lock: number, site: number): void {
    this.#ring.write(time, kinds.HOLD_BEGINS, lock, site, this.#machine, 0, 0, 0);
  }

  holdEnds(time: number, lock: number): void {
    this.#ring.write(time, kinds.HOLD_ENDS, lock, 0, this.#machine, 0, 0, 0);
  }

  waitBegins(time: number, lock: number, site: number, held: number, holder: number, holderSite: number): void {
    this.#ring.write(time, kinds.WAIT_BEGINS, lock, site, this.#machine, holder | (holderSite << 8), held, 0);
  }

  waitEnds(time: number, lock: number, site: number, taken: boolean): void {
    this.#ring.write(time, kinds.WAIT_ENDS, lock, site, this.#machine, taken ? 1 : 0, 0, 0);
  }

  accessBegins(time: number, site: number, address: number, size: number): void {
    this.#ring.write(time, kinds.ACCESS_BEGINS, 0, site, this.#machine, address, size, 0);
  }

  accessEnds(time: number, site: number): void {
    this.#ring.write(time, kinds.ACCESS_ENDS, 0, site, this.#machine, 0, 0, 0);
  }

  callbackBegins(time: number, timer: number, lateness: number): void {
    this.#ring.write(time, kinds.CALLBACK_BEGINS, 0, 0, this.#machine, timer, 0, lateness);
  }

  callbackEnds(time: number): void {
    this.#ring.write(time, kinds.CALLBACK_ENDS, 0, 0, this.#machine, 0, 0, 0);
  }

  /** Called before other threads can see the event, so that its delivery is never earlier. */
  interrupt(time: number): void {
    this.#interruptAt = time;
  }

  emitted(position: number, event: Readonly<EventWords>): void {
    this.#ring.write(this.#interruptAt, kinds.INTERRUPT, 0, 0, this.#machine, position, summarize(event), 0);
  }

  deliveryBegins(time: number, position: number, kind: number): void {
    this.#ring.write(time, kinds.HAND_OVER_BEGINS, 0, 0, this.#machine, position, kind, 0);
  }

  deliveryEnds(time: number): void {
    this.#ring.write(time, kinds.HAND_OVER_ENDS, 0, 0, this.#machine, 0, 0, 0);
  }

  deadlock(time: number, refused: boolean): void {
    this.#ring.write(time, kinds.DEADLOCK, 0, 0, this.#machine, refused ? 1 : 0, 0, 0);
  }
}
