import { LINE_QUEUE_AREA as AREA } from '../memory/map.js';
import type { Memory } from '../memory/memory.js';

const CAPACITY = 64;
const HEAD = AREA.word('head', 'sync');
const TAIL = AREA.word('tail', 'sync');
const SLOTS = AREA.words('slots', CAPACITY, 'ring');

const PULSE = 1 << 17;

/**
 * Line changes that found the router's lock taken, in the order of their decisions. One producer at a time (who holds
 * the HPET's guard), one consumer at a time (who holds the router's lock).
 */
export class LineQueue {
  /** Whether this thread queued a change since it last waited for the holder of the router. */
  hasQueued = false;

  constructor(readonly memory: Memory) {}

  get isEmpty(): boolean {
    return this.memory.load(HEAD) === this.memory.load(TAIL);
  }

  /** False if there is no room. */
  push(line: number, source: number, level: number): boolean {
    return this.#push(line | (source << 8) | (level << 16));
  }

  pushPulse(line: number, source: number): boolean {
    return this.#push(line | (source << 8) | PULSE);
  }

  #push(change: number): boolean {
    const tail = this.memory.load(TAIL);
    if (((tail - this.memory.load(HEAD)) | 0) >= CAPACITY) return false;
    this.memory.set(SLOTS + (tail & (CAPACITY - 1)), change);
    this.memory.store(TAIL, (tail + 1) | 0);
    this.hasQueued = true;
    return true;
  }

  /** Applies all changes in order. */
  drain(
    drive: (line: number, source: number, level: number) => void,
    pulse: (line: number, source: number) => void,
  ): void {
    for (;;) {
      const head = this.memory.load(HEAD);
      if (head === this.memory.load(TAIL)) return;
      const change = this.memory.get(SLOTS + (head & (CAPACITY - 1)));
      this.memory.store(HEAD, (head + 1) | 0);
      if (change & PULSE) pulse(change & 0xff, (change >> 8) & 0xff);
      else drive(change & 0xff, (change >> 8) & 0xff, (change >> 16) & 1);
    }
  }
}
