import type { Memory } from '../memory/memory.js';

/** Bit 0 of the sequence word: a write is in progress. */
export const WRITING = 1;
/** Bits 7:1 are protected like the two words behind; the count of writes fills the rest. */
const FLAGS_SHIFT = 1;
const FLAGS_MASK = 0x7f;
const COUNT_STEP = 0x100;

/** Words that a sequence lock needs. */
export const SEQUENCE_LOCK_WORDS = 3;

/**
 * A sequence lock over two words and seven flag bits, which readers take without any lock. The words are atomics as
 * well: only then does the JavaScript memory model promise anything about what a reader sees, and so they are few.
 * Writers exclude each other by other means. Inside a write section nothing may take a lock, arm a timer or raise an
 * interrupt: a reader may hold a lock that the writer would wait for.
 */
export class SequenceLock {
  /** The flags and words of the last `begin` or `peek`. */
  flags = 0;
  first = 0;
  second = 0;
  #sequence = 0;

  constructor(
    readonly memory: Memory,
    readonly address: number,
  ) {}

  /**
   * Begins to read, once no write is in progress. The caller may read other state along with the words; all of it is
   * valid only if `isCurrent` returns true afterwards.
   */
  begin(): void {
    const { memory, address } = this;
    let sequence = memory.load(address);
    while (sequence & WRITING) {
      memory.spin(address, sequence);
      sequence = memory.load(address);
    }
    this.#begin(sequence);
  }

  /** Begins to read without waiting: false if a write is in progress. */
  tryBegin(): boolean {
    const sequence = this.memory.load(this.address);
    if (sequence & WRITING) return false;
    this.#begin(sequence);
    return true;
  }

  #begin(sequence: number): void {
    const { memory, address } = this;
    this.first = memory.load(address + 1);
    this.second = memory.load(address + 2);
    this.flags = (sequence >> FLAGS_SHIFT) & FLAGS_MASK;
    this.#sequence = sequence;
  }

  /** Whether nothing was written since `begin`. */
  isCurrent(): boolean {
    return this.memory.load(this.address) === this.#sequence;
  }

  /** Reads without a check; the caller keeps all writers out. */
  peek(): void {
    const { memory, address } = this;
    this.flags = (memory.load(address) >> FLAGS_SHIFT) & FLAGS_MASK;
    this.first = memory.load(address + 1);
    this.second = memory.load(address + 2);
  }

  write(flags: number, first: number, second: number): void {
    const { memory, address } = this;
    const sequence = memory.load(address);
    const nested = sequence & WRITING;
    if (!nested) memory.store(address, sequence | WRITING);
    memory.store(address + 1, first);
    memory.store(address + 2, second);
    const count = (sequence & ~0xff) + (nested ? 0 : COUNT_STEP);
    memory.store(address, count | (flags << FLAGS_SHIFT) | nested);
  }

  /** Opens a write section that `close` ends: readers wait until everything that the write depends on is done. */
  open(): void {
    this.memory.store(this.address, this.memory.load(this.address) | WRITING);
  }

  /** Whether a write is in progress. */
  get isOpen(): boolean {
    return (this.memory.load(this.address) & WRITING) !== 0;
  }

  close(): void {
    this.memory.store(this.address, (this.memory.load(this.address) & ~WRITING) + COUNT_STEP);
  }
}
