import type { Memory } from '../../core/memory/memory.js';
import type { SharedMemory } from '../../core/memory/shared-memory.js';

/** Records ever written, modulo 2^32: stored last, so that a reader who has seen it sees them. */
const HEAD = 0;
/** The same as a float64, which does not wrap. */
const TOTAL = 2;
const RECORDS = 16;

/** Offsets in a record. */
const TIME = 0;
const NUMBER = 2;
/** Bits 7:0 kind, 15:8 lock, 23:16 call site. */
const WHAT = 4;
const MACHINE = 5;
const A = 6;
const B = 7;
const RECORD_WORDS = 8;

/** What a writer may have begun to overwrite before its new head is seen. */
const MARGIN = 8;

/** Words of one thread's ring; it starts at an even address. */
export function traceRingWords(records: number): number {
  return records === 0 ? 0 : RECORDS + records * RECORD_WORDS;
}

/** One record as it was written: `kinds.ts` tells what the numbers mean. */
export interface TraceRecord {
  /** Host time in ns. */
  readonly time: number;
  readonly kind: number;
  readonly lock: number;
  readonly site: number;
  readonly a: number;
  readonly b: number;
  readonly number: number;
}

/** What a reader found of one machine in one ring. */
export interface TraceReading {
  readonly records: readonly TraceRecord[];
  /** Records that were overwritten since the position asked for; they may have been of other machines. */
  readonly overwritten: number;
}

/** The trace of one thread, in shared memory: the newest records, without a lock, since each ring has one writer. */
export class TraceRing {
  /** Word address of the machine that the next records belong to. */
  machine = 0;
  /** A number for the next record, if its kind has one. */
  number = 0;
  #next: number;
  #index: number;

  constructor(
    readonly memory: Memory,
    /** Word address. */
    readonly at: number,
    /** Records that it holds. */
    readonly capacity: number,
  ) {
    // A thread with the number of one that was ended goes on where that one stopped.
    this.#next = capacity === 0 ? 0 : memory.getTime(at + TOTAL);
    this.#index = capacity === 0 ? 0 : this.#next % capacity;
  }

  /** Writes a record of the machine with what `whatOf` packs. */
  write(time: number, what: number, a: number, b: number): void {
    const { memory } = this;
    const record = this.at + RECORDS + this.#index * RECORD_WORDS;
    memory.setTime(record + TIME, time);
    memory.setTime(record + NUMBER, this.number);
    memory.set(record + WHAT, what);
    memory.set(record + MACHINE, this.machine);
    memory.set(record + A, a);
    memory.set(record + B, b);
    this.#next++;
    this.#index = this.#index + 1 === this.capacity ? 0 : this.#index + 1;
    this.number = 0;
    memory.setTime(this.at + TOTAL, this.#next);
    memory.store(this.at + HEAD, this.#next | 0);
  }
}

/** The kind of a record, with the lock and the call site that it is about. */
export function whatOf(kind: number, lock = 0, site = 0): number {
  return kind | (lock << 8) | (site << 16);
}

/** Records that were ever written to the ring at a word address. */
export function writtenTo(shared: Memory, at: number): number {
  const head = shared.load(at + HEAD);
  const total = shared.getTime(at + TOTAL);
  // The two words of a float64 may be of two moments; the head says which count is meant.
  return total + ((head - (total % 2 ** 32)) | 0);
}

/** The records of a machine (its word address) from a position on, copied while the thread goes on writing. */
export function readRing(
  shared: SharedMemory,
  at: number,
  capacity: number,
  from: number,
  machine: number,
): TraceReading {
  const until = writtenTo(shared, at);
  const words = new Int32Array(shared.buffer).slice(at + RECORDS, at + RECORDS + capacity * RECORD_WORDS);
  const times = new Float64Array(words.buffer);
  // What was written over meanwhile, or is just being so, is no record.
  const now = writtenTo(shared, at);
  const kept = now < capacity ? 0 : now - capacity + MARGIN;
  const first = Math.max(from, kept);
  const records: TraceRecord[] = [];
  for (let position = first; position < until; position++) {
    const record = (position % capacity) * RECORD_WORDS;
    if (words[record + MACHINE] !== machine) continue;
    const what = words[record + WHAT];
    records.push({
      time: times[(record + TIME) / 2],
      kind: what & 0xff,
      lock: (what >> 8) & 0xff,
      site: (what >> 16) & 0xff,
      a: words[record + A],
      b: words[record + B],
      number: times[(record + NUMBER) / 2],
    });
  }
  return { records, overwritten: Math.max(0, Math.min(first, until) - from) };
}
