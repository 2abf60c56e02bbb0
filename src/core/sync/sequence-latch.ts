import type { Memory } from '../memory/memory.js';

/** Bit 0 of the sequence word: which of the two copies is current. */
const COPY = 1;
/** Bits 7:1 belong to the current copy; the count of writes fills the rest. */
const FLAGS_SHIFT = 1;
const FLAGS_MASK = 0x7f;
const COUNT_STEP = 0x100;

/** Words that a sequence latch needs. */
export const SEQUENCE_LATCH_WORDS = 5;

/**
 * Two words and seven flag bits, each write of which is atomic for readers. Readers take no lock and wait for no thread:
 * a write fills the copy that is not current and then makes it current. A writer that dies halfway leaves the former copy
 * current. A reader rereads only if a write was completed meanwhile. Writers exclude each other by other means.
 */
export class SequenceLatch {
  /** The flags and words of the last `read`. */
  flags = 0;
  first = 0;
  second = 0;

  constructor(
    readonly memory: Memory,
    readonly address: number,
  ) {}

  /** Reads flags and words as one write left them. */
  read(): void {
    const { memory, address } = this;
    let sequence: number;
    do {
      sequence = memory.load(address);
      const copy = copyAt(address, sequence & COPY);
      this.first = memory.load(copy);
      this.second = memory.load(copy + 1);
    } while (memory.load(address) !== sequence);
    this.flags = (sequence >> FLAGS_SHIFT) & FLAGS_MASK;
  }

  write(flags: number, first: number, second: number): void {
    const { memory, address } = this;
    const sequence = memory.load(address);
    const other = (sequence & COPY) ^ COPY;
    const copy = copyAt(address, other);
    memory.store(copy, first);
    memory.store(copy + 1, second);
    memory.store(address, ((sequence & ~0xff) + COUNT_STEP) | (flags << FLAGS_SHIFT) | other);
  }
}

function copyAt(address: number, copy: number): number {
  return address + 1 + 2 * copy;
}
