/** Positions of a queue, in bytes modulo 2^32: what was written, and what was read of it. */
const WRITTEN = 0;
const READ = 1;
export const POSITION_WORDS = 2;

/** Kind, id and length of the body. */
const HEADER_BYTES = 12;

/** What one thread leaves for the other. */
export interface QueueRecord {
  readonly kind: number;
  readonly id: number;
  readonly body: Uint8Array;
}

/**
 * Records in shared memory from one thread to one other, in order. The writer never touches bytes that the reader has not
 * read yet, so that a record can be late but never lost. A record larger than the room left is written in parts.
 */
export class RecordQueue {
  readonly #positions: Int32Array<SharedArrayBuffer>;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  /** This thread's own position: of the two only one is used. */
  #at = 0;
  /** The writer's record that is not written to its end, and how much of it is, in bytes. */
  #rest: Uint8Array | undefined;
  #restAt = 0;
  /** The reader's record that is not read to its end, and how much of it is. */
  #partial: QueueRecord | undefined;
  #partialAt = 0;

  constructor(
    buffer: SharedArrayBuffer,
    /** Of the positions, in bytes. */
    positions: number,
    /** Of the records, in bytes. */
    records: number,
    /** Bytes for records: a power of 2. */
    readonly capacity: number,
  ) {
    this.#positions = new Int32Array(buffer, positions, POSITION_WORDS);
    this.#words = new Int32Array(buffer, records, capacity / 4);
    this.#bytes = new Uint8Array(buffer, records, capacity);
  }

  // The writer

  get #room(): number {
    return this.capacity - ((this.#at - Atomics.load(this.#positions, READ)) | 0);
  }

  /** Whether a whole record with this body finds room now. */
  hasRoomFor(body: Uint8Array): boolean {
    return this.#rest === undefined && this.#room >= HEADER_BYTES + padded(body.length);
  }

  /** Sleeps until the reader has read more, for up to `ms`. */
  awaitRoom(body: Uint8Array, ms: number): void {
    const read = Atomics.load(this.#positions, READ);
    if (!this.hasRoomFor(body)) Atomics.wait(this.#positions, READ, read, ms);
  }

  /** Takes a record, which `flush` may have to write to its end; false if there is no room even for its beginning. */
  push(kind: number, id: number, body: Uint8Array): boolean {
    if (!this.flush() || this.#room < HEADER_BYTES) return false;
    for (const word of [kind, id, body.length]) {
      this.#words[(this.#at & (this.capacity - 1)) >> 2] = word;
      this.#at = (this.#at + 4) | 0;
    }
    this.#rest = body;
    this.#restAt = 0;
    this.flush();
    return true;
  }

  /** Writes on at the last record; false while a part of it waits for room. */
  flush(): boolean {
    const body = this.#rest;
    if (!body) return true;
    const length = Math.min(this.#room, padded(body.length) - this.#restAt);
    const end = Math.min(body.length, this.#restAt + length);
    const at = this.#at & (this.capacity - 1);
    const first = Math.min(end, this.#restAt + this.capacity - at);
    this.#bytes.set(body.subarray(this.#restAt, first), at);
    this.#bytes.set(body.subarray(first, end), 0);
    this.#at = (this.#at + length) | 0;
    this.#restAt += length;
    if (this.#restAt >= body.length) this.#rest = undefined;
    Atomics.store(this.#positions, WRITTEN, this.#at);
    Atomics.notify(this.#positions, WRITTEN);
    return this.#rest === undefined;
  }

  // The reader

  /** The next record; undefined if it is not there, or not to its end. */
  take(): QueueRecord | undefined {
    const written = Atomics.load(this.#positions, WRITTEN);
    if (written === this.#at) return undefined;
    if (!this.#partial) {
      const [kind, id, length] = [this.#word(), this.#word(), this.#word()];
      this.#partial = { kind, id: id >>> 0, body: new Uint8Array(length) };
      this.#partialAt = 0;
    }
    const { body } = this.#partial;
    const length = Math.min((written - this.#at) | 0, padded(body.length) - this.#partialAt);
    const end = Math.min(body.length, this.#partialAt + length);
    const at = this.#at & (this.capacity - 1);
    const first = Math.min(end, this.#partialAt + this.capacity - at);
    body.set(this.#bytes.subarray(at, at + first - this.#partialAt), this.#partialAt);
    body.set(this.#bytes.subarray(0, end - first), first);
    this.#partialAt += length;
    this.#at = (this.#at + length) | 0;
    Atomics.store(this.#positions, READ, this.#at);
    if (this.#partialAt < body.length) return undefined;
    const record = this.#partial;
    this.#partial = undefined;
    return record;
  }

  /** Wakes the writer, if it waits for room. */
  wakeWriter(): void {
    Atomics.notify(this.#positions, READ);
  }

  /** Sleeps until the writer has written more, for up to `ms`. */
  awaitRecord(ms: number): void {
    Atomics.wait(this.#positions, WRITTEN, this.#at, ms);
  }

  #word(): number {
    const word = this.#words[(this.#at & (this.capacity - 1)) >> 2];
    this.#at = (this.#at + 4) | 0;
    return word;
  }
}

/** Records begin at multiples of 4. */
function padded(length: number): number {
  return (length + 3) & ~3;
}
