/** Reads the parts of protobuf that frequent messages consist of. What is out of the ordinary sets `failed`. */
export class Reader {
  /** Ran past the end, or met a number of more than 32 bits. */
  failed = false;

  constructor(
    readonly bytes: Uint8Array,
    public at: number,
    readonly end: number,
  ) {}

  get done(): boolean {
    return this.at >= this.end;
  }

  /** A varint of at most 32 bits. */
  uint32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (this.at >= this.end) break;
      const byte = this.bytes[this.at++];
      if (shift === 28 && byte > 0x0f) break;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    this.failed = true;
    return 0;
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

  /** A field of bytes, which shares memory with the frame. */
  delimited(): Uint8Array {
    const length = this.uint32();
    const from = this.at;
    if (this.failed || from + length > this.end) {
      this.failed = true;
      return this.bytes.subarray(0, 0);
    }
    this.at = from + length;
    return this.bytes.subarray(from, this.at);
  }
}
