const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
const FIXED32 = 5;

const NOTHING = new Uint8Array();
const text = new TextDecoder();

/** Thrown for what is no protobuf. */
export class NotProtobuf extends Error {
  override readonly name = 'NotProtobuf';
}

/**
 * The fields of one protobuf message, one after the other. Numbers of up to 53 bits are exact. Fields that nobody asks for
 * are passed over, as a client has to.
 */
export class Fields {
  /** Number of the current field. */
  number = 0;
  #at = 0;
  #type = VARINT;
  #value = 0;
  #bytes: Uint8Array = NOTHING;

  constructor(readonly message: Uint8Array) {}

  /** Goes to the next field; false at the end. Throws NotProtobuf. */
  next(): boolean {
    if (this.#at >= this.message.length) return false;
    const tag = this.#varint();
    this.number = Math.floor(tag / 8);
    this.#type = tag % 8;
    this.#bytes = NOTHING;
    switch (this.#type) {
      case VARINT:
        this.#value = this.#varint();
        break;
      case FIXED32:
        this.#value = this.#word();
        break;
      case FIXED64:
        this.#bytes = this.#take(8);
        break;
      case DELIMITED:
        this.#bytes = this.#take(this.#varint());
        break;
      default:
        throw new NotProtobuf(`wire type ${this.#type}`);
    }
    return true;
  }

  /** Of a varint or fixed32. */
  get value(): number {
    return this.#value;
  }

  /** Of a delimited field; shares memory with the message. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get text(): string {
    return text.decode(this.#bytes);
  }

  get double(): number {
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset).getFloat64(0, true);
  }

  #varint(): number {
    let value = 0;
    let scale = 1;
    for (let byte = 0x80; byte >= 0x80; scale *= 0x80) {
      if (this.#at >= this.message.length) throw new NotProtobuf('it ends too early');
      byte = this.message[this.#at++];
      value += (byte & 0x7f) * scale;
    }
    return value;
  }

  #word(): number {
    const [a, b, c, d] = this.#take(4);
    return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
  }

  #take(length: number): Uint8Array {
    const from = this.#at;
    this.#at += length;
    if (this.#at > this.message.length) throw new NotProtobuf('it ends too early');
    return this.message.subarray(from, this.#at);
  }
}
