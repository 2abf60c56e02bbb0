import type { Memory } from '../../memory/memory.js';
import { U64 } from '../../memory/u64.js';
import { SequenceLock } from '../../sync/sequence-lock.js';
import { TICK_NS } from './registers.js';
import { COUNTER } from './state.js';

const RUNNING = 1 << 0;
/** The modulus is 2^64 ns, as in QEMU, and not 2^64 ticks (quirk `huge-comparator`). */
const MODULO_NS = 1 << 1;
/** Bits 67:64 of the offset. */
const OFFSET_TOP_SHIFT = 2;

const TWO_32 = 0x1_0000_0000;

interface Time {
  /** Virtual time in ns. */
  now(): number;
}

/**
 * The main counter, IA-PC HPET 1.0a section 2.3.7. Halted, it is a 64-bit value. Running, it is
 * (virtual time + offset) / 10 ns; the offset has 68 bits, so that all 2^64 counter values exist. A sequence lock lets
 * any thread read it at any time; it changes only under the HPET's guard.
 */
export class MainCounter {
  readonly #words: SequenceLock;
  /** Whether this thread holds readers up. */
  #holdsReaders = false;
  /** What `read` reads as long as it stands. */
  readonly #sample = new U64();
  #isSampled = false;
  /** Whether `valueAt` and `timeOf` count by the words below, which held before the last change of this thread. */
  #countsByFormer = false;
  #formerFlags = 0;
  #formerFirst = 0;
  #formerSecond = 0;

  constructor(memory: Memory) {
    this.#words = new SequenceLock(memory, COUNTER);
  }

  reset(moduloNs: boolean): void {
    this.#words.write(moduloNs ? MODULO_NS : 0, 0, 0);
  }

  /**
   * Reads the counter. `now` is only called if it runs, and while it is known to: a reader that looked at the time after
   * the counter was halted would be ahead of all who read it from then on.
   */
  read(result: U64, ports: Time): void {
    if (this.#isSampled) {
      result.copy(this.#sample);
      return;
    }
    const words = this.#words;
    let now = 0;
    do {
      words.begin();
      if (words.flags & RUNNING) now = ports.now();
    } while (!words.isCurrent());
    if (words.flags & RUNNING) this.#at(result, now);
    else result.set(words.first, words.second);
  }

  /**
   * For a thread that may not wait, not even for a writer that may have died: reads the counter in one attempt. That is
   * what this thread's `read`s read until `dropSample`. False, and nothing is kept, if a writer came in between.
   */
  sample(ports: Time): boolean {
    const words = this.#words;
    if (!words.tryBegin()) return false;
    const now = words.flags & RUNNING ? ports.now() : 0;
    if (!words.isCurrent()) return false;
    if (words.flags & RUNNING) this.#at(this.#sample, now);
    else this.#sample.set(words.first, words.second);
    this.#isSampled = true;
    return true;
  }

  dropSample(): void {
    this.#isSampled = false;
  }

  /** The counter's value at virtual time `now`. */
  valueAt(result: U64, now: number): void {
    const words = this.#words;
    this.#peek();
    if (words.flags & RUNNING) this.#at(result, now);
    else result.set(words.first, words.second);
  }

  /** Virtual time at which the running counter's value is `tick`, modulo 2^64 ns: exact wherever it can be reached. */
  timeOf(tick: U64, result: U64): void {
    const words = this.#words;
    this.#peek();
    result.copy(tick).multiply(TICK_NS);
    const low = result.lo - (words.first >>> 0);
    result.set(low, result.hi - (words.second >>> 0) - (low < 0 ? 1 : 0));
  }

  /** Holds all readers of `read` up until `releaseReaders`. */
  holdReaders(): void {
    this.#holdsReaders = true;
    this.#words.open();
  }

  /** Does nothing unless this thread holds them up. */
  releaseReaders(): void {
    if (this.#holdsReaders) this.#words.close();
    this.#holdsReaders = false;
  }

  /** Releases the readers that a dead writer blocks. They may read any value. */
  endWrite(): void {
    if (this.#words.isOpen) this.#words.close();
  }

  /**
   * Changes the value from what it is now, in one step for its readers; a running counter goes on from there. Returns the
   * virtual time of the change in ns, undefined if the counter is halted.
   */
  change(ports: Time, scratch: U64, change: (value: U64) => void): number | undefined {
    const words = this.#words;
    let time: number | undefined;
    this.#alone(() => {
      words.peek();
      this.#keepFormer();
      if (words.flags & RUNNING) time = ports.now();
      this.valueAt(scratch, time ?? 0);
      change(scratch);
      words.write(words.flags & MODULO_NS, scratch.lo, scratch.hi);
      if (time !== undefined) this.start(time);
    });
    return time;
  }

  #keepFormer(): void {
    const { flags, first, second } = this.#words;
    this.#formerFlags = flags;
    this.#formerFirst = first;
    this.#formerSecond = second;
  }

  /** `valueAt` and `timeOf` count meanwhile as before the last `halt` or `change`: for the matches that came before it. */
  asBefore(work: () => void): void {
    this.#countsByFormer = true;
    try {
      work();
    } finally {
      this.#countsByFormer = false;
    }
  }

  #peek(): void {
    const words = this.#words;
    words.peek();
    if (!this.#countsByFormer) return;
    words.flags = this.#formerFlags;
    words.first = this.#formerFirst;
    words.second = this.#formerSecond;
  }

  /** Starts the counter from its halted value at virtual time `now`. */
  start(now: number): void {
    const words = this.#words;
    words.peek();
    // offset = value × 10 − now, in 68 bits
    const product = (words.first >>> 0) * TICK_NS;
    const productHigh = (words.second >>> 0) * TICK_NS + Math.floor(product / TWO_32);
    const low = (product >>> 0) - (now >>> 0);
    const high = (productHigh % TWO_32) - Math.floor(now / TWO_32) - (low < 0 ? 1 : 0);
    let top = Math.floor(productHigh / TWO_32) - (high < 0 ? 1 : 0);
    if (top < 0) top += TICK_NS;
    const modulo = words.flags & MODULO_NS;
    words.write(RUNNING | modulo | (modulo ? 0 : top << OFFSET_TOP_SHIFT), low, high);
  }

  /** Halts the counter at its value now, and returns that virtual time in ns: no reader has read a later one. */
  halt(ports: Time, scratch: U64): number {
    let time = 0;
    this.#alone(() => {
      this.#words.peek();
      this.#keepFormer();
      time = ports.now();
      this.valueAt(scratch, time);
      this.#words.write(this.#words.flags & MODULO_NS, scratch.lo, scratch.hi);
    });
    return time;
  }

  /** Makes readers wait meanwhile. */
  #alone(work: () => void): void {
    if (!this.#holdsReaders) this.#words.open();
    work();
    if (!this.#holdsReaders) this.#words.close();
  }

  /** (now + offset) / 10, for the words just read. */
  #at(result: U64, now: number): void {
    const { flags, first, second } = this.#words;
    const low = (now >>> 0) + (first >>> 0);
    const high = Math.floor(now / TWO_32) + (second >>> 0) + (low >= TWO_32 ? 1 : 0);
    let top = 0;
    if (!(flags & MODULO_NS)) top = ((flags >> OFFSET_TOP_SHIFT) + (high >= TWO_32 ? 1 : 0)) % TICK_NS;
    const highDividend = top * TWO_32 + (high >>> 0);
    const highQuotient = Math.floor(highDividend / TICK_NS);
    const lowDividend = (highDividend - highQuotient * TICK_NS) * TWO_32 + (low >>> 0);
    result.set(Math.floor(lowDividend / TICK_NS), highQuotient);
  }
}
