/** The pool of Node is faster than an array of its own, and `ws` takes it without a copy; a browser has none. */
const allocate: (length: number) => Uint8Array =
  typeof Buffer === 'undefined' ? (length) => new Uint8Array(length) : (length) => Buffer.allocUnsafe(length);

/** Length of a varint of at most 53 bits. */
export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++;
  return length;
}

/** Length of a field with a one-byte tag and a varint; 0 is left out. */
export function fieldLength(value: number): number {
  return value === 0 ? 0 : 1 + varintLength(value);
}

/** Length of a field with presence. */
export function optionalLength(value: number | undefined): number {
  return value === undefined ? 0 : 1 + varintLength(value);
}

/** Writes the parts of protobuf that frequent messages consist of, into a frame of known length. */
export class Writer {
  readonly bytes: Uint8Array;
  #at = 0;

  /** A frame with one field, of exactly `length` bytes, that are to be written next; `before`: fields in front of it. */
  constructor(tag: number, length: number, before?: Uint8Array) {
    this.bytes = allocate((before?.length ?? 0) + varintLength(tag) + varintLength(length) + length);
    if (before) this.raw(before);
    this.varint(tag);
    this.varint(length);
  }

  /** Of at most 53 bits. */
  varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.bytes[this.#at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.bytes[this.#at++] = rest;
  }

  /** A field with a varint; 0 is left out. */
  field(tag: number, value: number): void {
    if (value !== 0) this.explicit(tag, value);
  }

  /** A field with presence: 0 is written. */
  explicit(tag: number, value: number): void {
    this.bytes[this.#at++] = tag;
    this.varint(value);
  }

  optional(tag: number, value: number | undefined): void {
    if (value !== undefined) this.explicit(tag, value);
  }

  /** A field with a fixed32; 0 is left out. */
  fixed32(tag: number, value: number): void {
    if (value === 0) return;
    this.bytes[this.#at++] = tag;
    this.word(value);
  }

  /** 32 bits, little-endian. */
  word(value: number): void {
    const { bytes } = this;
    bytes[this.#at++] = value;
    bytes[this.#at++] = value >>> 8;
    bytes[this.#at++] = value >>> 16;
    bytes[this.#at++] = value >>> 24;
  }

  raw(source: Uint8Array): void {
    this.bytes.set(source, this.#at);
    this.#at += source.length;
  }
}

/** Tag of a field of ClientMessage or ServerMessage. */
export const envelope = (field: number) => 8 * field + 2;

/** The three first fields of a message, which are numbers. */
export function numbersFrame(message: number, first: number, second: number, third: number): Uint8Array {
  const writer = new Writer(envelope(message), fieldLength(first) + fieldLength(second) + fieldLength(third));
  writer.field(0x08, first);
  writer.field(0x10, second);
  writer.field(0x18, third);
  return writer.bytes;
}
