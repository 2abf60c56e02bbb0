import { CLOCK_AREA as AREA } from '../memory/map.js';
import type { Memory } from '../memory/memory.js';
import { SEQUENCE_LATCH_WORDS, SequenceLatch } from '../sync/sequence-latch.js';

const WORDS = AREA.words('virtualTime', SEQUENCE_LATCH_WORDS, 'sync');

/** Virtual time follows the host's clock; the words hold the host time of virtual zero. Else they hold virtual time. */
const TICKING = 1 << 0;
const MANUAL = 1 << 1;

const TWO_32 = 0x1_0000_0000;

export type ClockMode = 'realtime' | 'manual';

/**
 * The virtual clock of one machine, in nanoseconds from 0 to 2^53. `realtime` follows the host's monotonic clock and
 * can be paused; `manual` moves only when the main loop steps it. Read by any thread without a lock, also if the main
 * loop, which writes it, has died over that.
 */
export class Clock {
  readonly #words: SequenceLatch;

  constructor(readonly memory: Memory) {
    this.#words = new SequenceLatch(memory, WORDS);
  }

  create(mode: ClockMode): void {
    if (mode === 'manual') this.#write(MANUAL, 0);
    else this.#write(TICKING, this.memory.hostTime());
  }

  /** Virtual time. */
  now(): number {
    const words = this.#words;
    words.read();
    const value = (words.second >>> 0) * TWO_32 + (words.first >>> 0);
    return words.flags & TICKING ? this.memory.hostTime() - value : value;
  }

  isManual(): boolean {
    this.#words.read();
    return (this.#words.flags & MANUAL) !== 0;
  }

  isTicking(): boolean {
    this.#words.read();
    return (this.#words.flags & TICKING) !== 0;
  }

  /** The host time at which virtual time will be `deadline`, while the clock ticks; else Infinity. */
  hostTimeOf(deadline: number): number {
    const words = this.#words;
    words.read();
    if (!(words.flags & TICKING)) return Number.POSITIVE_INFINITY;
    return (words.second >>> 0) * TWO_32 + (words.first >>> 0) + deadline;
  }

  /** Moves a manual clock to `time`. */
  moveTo(time: number): void {
    this.#write(MANUAL, time);
  }

  /** Stops a realtime clock at the present moment. */
  pause(): void {
    if (this.isTicking()) this.#write(0, this.now());
  }

  /** Lets a paused realtime clock go on from where it stopped. */
  resume(): void {
    if (this.isTicking() || this.isManual()) return;
    this.#write(TICKING, this.memory.hostTime() - this.now());
  }

  /** Goes on from `time`, ticking or not as before. */
  continueFrom(time: number): void {
    this.#words.read();
    const { flags } = this.#words;
    this.#write(flags, flags & TICKING ? this.memory.hostTime() - time : time);
  }

  #write(flags: number, value: number): void {
    this.#words.write(flags, value >>> 0, Math.floor(value / TWO_32));
  }
}
