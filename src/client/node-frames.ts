/** Frames of a WebSocket: RFC 6455, 5.2. */
export const CONTINUATION = 0;
export const TEXT = 1;
const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

const FINAL = 0x80;
const RESERVED = 0x70;
const MASKED = 0x80;
/** Lengths that say that the length follows, in 2 and in 8 bytes. */
const LENGTH_16 = 126;
const LENGTH_64 = 127;
/** More than any message of a server has; what claims to be longer is no frame. */
const LARGEST = 2 ** 28;

const masks = new Uint8Array(4096);
let nextMask = masks.length;

/** A frame with a mask of its own, as clients have to send them. */
export function clientFrame(body: Uint8Array, opcode = BINARY): Uint8Array {
  if (nextMask === masks.length) {
    crypto.getRandomValues(masks);
    nextMask = 0;
  }
  const { length } = body;
  const head = length < LENGTH_16 ? 2 : length < 0x10000 ? 4 : 10;
  const frame = new Uint8Array(head + 4 + length);
  frame[0] = FINAL | opcode;
  frame[1] = MASKED | (head === 2 ? length : head === 4 ? LENGTH_16 : LENGTH_64);
  if (head > 2) {
    frame[head - 2] = length >>> 8;
    frame[head - 1] = length;
  }
  if (head > 4) {
    frame[head - 4] = length >>> 24;
    frame[head - 3] = length >>> 16;
  }
  for (let byte = 0; byte < 4; byte++) frame[head + byte] = masks[nextMask + byte];
  for (let byte = 0; byte < length; byte++) frame[head + 4 + byte] = body[byte] ^ masks[nextMask + (byte & 3)];
  nextMask += 4;
  return frame;
}

/** Finds the frames of a server in what arrives. */
export class FrameReader {
  #chunks: Uint8Array[] = [];
  #length = 0;
  /** Bytes that must be there before it is worth another try. */
  #needed = 2;

  constructor(readonly frame: (opcode: number, isLast: boolean, body: Uint8Array) => void) {}

  /** False if the bytes break the rules; nothing can be read after that. */
  read(chunk: Uint8Array): boolean {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#length < this.#needed) return true;
    let rest = this.#chunks.length === 1 ? chunk : this.#whole();
    for (;;) {
      const used = this.#frameIn(rest);
      if (used < 0) return false;
      if (used === 0) break;
      rest = rest.subarray(used);
    }
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#length = rest.length;
    return true;
  }

  #whole(): Uint8Array {
    const whole = new Uint8Array(this.#length);
    let at = 0;
    for (const chunk of this.#chunks) {
      whole.set(chunk, at);
      at += chunk.length;
    }
    return whole;
  }

  /** Bytes of the first frame; 0 if it is not there as a whole, −1 if it is none. */
  #frameIn(bytes: Uint8Array): number {
    this.#needed = 2;
    if (bytes.length < 2) return 0;
    const [first, second] = bytes;
    if (first & RESERVED || second & MASKED) return -1;
    const head = second < LENGTH_16 ? 2 : second === LENGTH_16 ? 4 : 10;
    this.#needed = head;
    if (bytes.length < head) return 0;
    let length = head === 2 ? second : 0;
    for (let byte = 2; byte < head; byte++) length = length * 256 + bytes[byte];
    if (length > LARGEST) return -1;
    this.#needed = head + length;
    if (bytes.length < this.#needed) return 0;
    this.frame(first & 0xf, (first & FINAL) !== 0, bytes.subarray(head, this.#needed));
    return head + length;
  }
}
