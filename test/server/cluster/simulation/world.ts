import type { Clock } from '../../../../src/server/cluster/clock.js';
import type { Random } from '../../../support/random.js';

interface Event {
  at: number;
  order: number;
  readonly process: Process | undefined;
  readonly work: () => void;
  isCancelled: boolean;
}

/** Simulated time in ms, and what happens in it. One seed gives one run. */
export class World {
  now = 0;
  #order = 0;
  readonly #heap: Event[] = [];

  constructor(readonly random: Random) {}

  /** A number from `low` up to, but not, `high`. */
  between(low: number, high: number): number {
    return low + (this.random.below(2 ** 31) / 2 ** 31) * (high - low);
  }

  chance(probability: number): boolean {
    return this.between(0, 1) < probability;
  }

  pick<T>(items: readonly T[]): T | undefined {
    return items[this.random.below(Math.max(1, items.length))];
  }

  /** Calls `work` in `ms`, in the turn of a process: not before it goes on if it is stopped, and never if it has ended. */
  schedule(ms: number, process: Process | undefined, work: () => void): Event {
    const event = { at: this.now + Math.max(0, ms), order: this.#order++, process, work, isCancelled: false };
    this.#push(event);
    return event;
  }

  /** Runs until a time. Promises settle between two events. */
  async run(until: number): Promise<void> {
    for (let event = this.#heap[0]; event && event.at <= until; event = this.#heap[0]) {
      this.#pop();
      this.now = event.at;
      const { process } = event;
      if (event.isCancelled || process?.hasEnded) continue;
      if (process && process.stoppedUntil > this.now) {
        event.at = process.stoppedUntil;
        // Timers and sockets come in any order when it goes on.
        event.order = this.random.below(2 ** 31);
        this.#push(event);
        continue;
      }
      event.work();
      await new Promise(setImmediate);
    }
    this.now = until;
  }

  #isBefore(a: Event, b: Event): boolean {
    return a.at !== b.at ? a.at < b.at : a.order < b.order;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    for (let parent = (at - 1) >> 1; at > 0 && this.#isBefore(event, heap[parent]); parent = (at - 1) >> 1) {
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Event;
    if (heap.length === 0) return;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && this.#isBefore(heap[child + 1], heap[child])) child++;
      if (!this.#isBefore(heap[child], last)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
  }
}

/** A process on a host of its own, whose clock drifts, which may be stopped for a while, cut off, or killed. */
export class Process implements Clock {
  hasEnded = false;
  stoppedUntil = 0;
  /** Whether messages from it, and to it, are lost. */
  sendsNothing = false;
  getsNothing = false;
  readonly #begin: number;

  constructor(
    readonly world: World,
    /** Its seconds in a second. */
    readonly rate: number,
  ) {
    this.#begin = world.between(0, 1e6);
  }

  now(): number {
    return this.#begin + this.world.now * this.rate;
  }

  after(ms: number, work: () => void): () => void {
    const event = this.world.schedule(ms / this.rate, this, work);
    return () => {
      event.isCancelled = true;
    };
  }
}
