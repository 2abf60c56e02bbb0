import { CLOCK_AREA as AREA } from '../memory/map.js';
import type { Memory } from '../memory/memory.js';
import { SEQUENCE_LATCH_WORDS, SequenceLatch } from '../sync/sequence-latch.js';

/**
 * A signed 64-bit number of nanoseconds in two words, low half first. While the clock ticks, it is the host time of
 * virtual zero: below 0 if the machine is older than the host's uptime. Otherwise it is virtual time, 0 to `CLOCK_END`.
 */
const WORDS = AREA.words('virtualTime', SEQUENCE_LATCH_WORDS, 'sync');

/** Virtual time follows the host's clock. */
const TICKING = 1 << 0;
const MANUAL = 1 << 1;

const TWO_32 = 0x1_0000_0000;

/**
 * Where a realtime clock stops, in virtual ns: 146 years. A clock and a deadline that is as far ahead of it again still
 * fit in 63 bits. Beyond 2^53 ns (104 days) a float64 counts in steps of 2 ns, at the end in steps of 1024 ns.
 */
export const CLOCK_END = 2 ** 62;

export type ClockMode = 'realtime' | 'manual';

/**
 * The virtual clock of one machine, in nanoseconds from 0. `realtime` follows the host's monotonic clock, can be paused
 * and ends at `CLOCK_END`; `manual` moves only when the main loop steps it, up to 2^53. Any thread reads it without a
 * lock, even if the main loop, which writes it, died while it did so.
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
    const value = this.#read();
    if (!(this.#words.flags & TICKING)) return value;
    const time = this.memory.hostTime() - value;
    return Math.min(time, CLOCK_END);
  }

  isManual(): boolean {
    this.#words.read();
    return (this.#words.flags & MANUAL) !== 0;
  }

  isTicking(): boolean {
    this.#words.read();
    return (this.#words.flags & TICKING) !== 0;
  }

  /**
   * A host time from which on virtual time is not before `deadline`; Infinity if the clock does not tick, or ends
   * before. It is below 0 for a deadline that passed before the host started.
   */
  hostTimeOf(deadline: number): number {
    const zero = this.#read();
    if (!(this.#words.flags & TICKING) || deadline > CLOCK_END) return Number.POSITIVE_INFINITY;
    const time = zero + deadline;
    // A sum that was rounded down would wake the main loop before anything is due, again and again.
    return time - zero < deadline ? time + Math.max(1, Math.abs(time) * Number.EPSILON) : time;
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

  /** The number in the words; the flags are in `#words` then. */
  #read(): number {
    const words = this.#words;
    words.read();
    return (words.second | 0) * TWO_32 + (words.first >>> 0);
  }

  #write(flags: number, value: number): void {
    this.#words.write(flags, value >>> 0, Math.floor(value / TWO_32));
  }
}
