const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Wire types of protobuf. */
export const VARINT = 0;
export const FIXED64 = 1;
export const DELIMITED = 2;
export const FIXED32 = 5;

/** Reads the parts that a protobuf message consists of. Anything that is not protobuf sets `failed`. */
export class Reader {
  /** Ran past the end, or met a tag or number that protobuf does not allow. */
  failed = false;

  constructor(
    readonly bytes: Uint8Array,
    public at = 0,
    readonly end = bytes.length,
  ) {}

  get done(): boolean {
    return this.failed || this.at >= this.end;
  }

  /** The low 32 bits of a varint. */
  uint32(): number {
    const { bytes, end } = this;
    let value = 0;
    for (let shift = 0; shift < 70 && this.at < end; shift += 7) {
      const byte = bytes[this.at++];
      if (shift <= 28) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    this.failed = true;
    return 0;
  }

  /** A varint of up to 64 bits; exact up to 53. */
  uint64(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 10 && this.at < this.end; count++) {
      const byte = this.bytes[this.at++];
      value += (byte & (count === 9 ? 1 : 0x7f)) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
    this.failed = true;
    return 0;
  }

  bool(): boolean {
    return this.uint64() !== 0;
  }

  fixed32(): number {
    const { bytes, at } = this;
    if (at + 4 > this.end) {
      this.failed = true;
      return 0;
    }
    this.at = at + 4;
    return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
  }

  double(): number {
    const bytes = this.take(8);
    return this.failed ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0, true);
  }

  /** A field of bytes, which shares memory with the frame. */
  delimited(): Uint8Array {
    return this.take(this.uint32());
  }

  /** A field of text, which has to be UTF-8. */
  string(): string {
    try {
      return text.decode(this.delimited());
    } catch {
      this.failed = true;
      return '';
    }
  }

  /** The end of a nested message that begins here; its fields are read next. */
  nested(): number {
    const length = this.uint32();
    const end = this.at + length;
    if (end > this.end) this.failed = true;
    return end;
  }

  /** Passes over the value of a field with this tag. */
  skip(tag: number): void {
    switch (tag & 7) {
      case VARINT:
        this.uint64();
        break;
      case FIXED64:
        this.take(8);
        break;
      case DELIMITED:
        this.delimited();
        break;
      case FIXED32:
        this.take(4);
        break;
      default:
        this.failed = true;
    }
    if (tag >>> 3 === 0) this.failed = true;
  }

  take(length: number): Uint8Array {
    const from = this.at;
    if (this.failed || from + length > this.end) {
      this.failed = true;
      return this.bytes.subarray(0, 0);
    }
    this.at = from + length;
    return this.bytes.subarray(from, this.at);
  }
}
