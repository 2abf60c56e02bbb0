import type { WebSocket } from 'ws';

/** RFC 6455, 5.2: the first byte of a binary message in one frame, and of the last frame of a message. */
const FINAL_BINARY = 0x82;
const FINAL = 0x80;
const OPCODE = 0x0f;
/** Opcodes: from here on control frames; the frame that closes a connection. */
const CONTROL = 0x08;
const CLOSE = 0x08;
/** In the second byte: the payload is masked, as all of a client are; its length. */
const MASKED = 0x80;
const LENGTH = 0x7f;
/** The length stands in the next 2 or 8 bytes. */
const LENGTH_16 = 126;
const LENGTH_64 = 127;
const MASK_BYTES = 4;
/** Bytes of the payload of a small frame: a batch of 255 accesses. */
const LARGEST = 4096;

/** The receiving half of a WebSocket of `ws`, which gives it what comes from the stream. */
interface Receiver {
  write(chunk: Buffer): boolean;
  /** What it met that RFC 6455 forbids: it reads no further. */
  readonly errored: Error | null;
}

/**
 * Reads small binary frames, which most requests are, where they lie in what came from the stream, and leaves all other
 * frames to `ws`, which makes six buffers and an event of each frame
 * (docs/decisions/19-small-frames-are-read-in-place.md). The order of frames stays.
 */
export class SmallFrames {
  /** The beginning of a frame that nobody has begun to read, since the rest has not come yet. */
  #head: Buffer | undefined;
  /** Bytes that are still to come of a frame that `ws` reads. */
  #left = 0;
  /** The last frame was not the last of its message. */
  #isFragmented = false;
  /** The client has closed the connection: what follows means nothing. */
  #isClosed = false;

  private constructor(
    readonly receiver: Receiver,
    readonly pass: (chunk: Buffer) => boolean,
    /** Takes a message: the bytes from `from` to before `end`. They are not changed later. */
    readonly take: (chunk: Buffer, from: number, end: number) => void,
    /** Larger messages are left to `ws`. */
    readonly largest: number,
  ) {}

  /** False if this `ws` has another inside: it then reads all frames itself. */
  static read(
    socket: WebSocket,
    frameBytes: number,
    take: (chunk: Buffer, from: number, end: number) => void,
  ): boolean {
    const { _receiver: receiver } = socket as unknown as { _receiver?: Receiver };
    if (typeof receiver?.write !== 'function') return false;
    const frames = new SmallFrames(receiver, receiver.write.bind(receiver), take, Math.min(LARGEST, frameBytes));
    receiver.write = (chunk) => frames.#read(chunk);
    return true;
  }

  /** Returns whether `ws` takes more. */
  #read(chunk: Buffer): boolean {
    let bytes = chunk;
    if (this.#head) {
      bytes = Buffer.concat([this.#head, chunk]);
      this.#head = undefined;
    }
    /** What is before this was read here, or given to `ws`. */
    let done = 0;
    let at = Math.min(this.#left, bytes.length);
    this.#left -= at;
    let takesMore = true;
    while (at < bytes.length) {
      const payload = this.#isClosed ? bytes.length : payloadAt(bytes, at);
      if (payload > bytes.length) break;
      if (!this.#isSmall(bytes, at)) {
        at = this.#passOver(bytes, at, payload);
        continue;
      }
      const end = payload + lengthAt(bytes, at);
      if (end > bytes.length) break;
      if (at > done) takesMore = this.pass(bytes.subarray(done, at));
      if (this.receiver.errored) return false;
      unmask(bytes, payload, end);
      this.take(bytes, payload, end);
      at = end;
      done = end;
    }
    if (at > done) takesMore = this.pass(bytes.subarray(done, at));
    if (at < bytes.length) this.#head = bytes.subarray(at);
    return takesMore;
  }

  #isSmall(bytes: Buffer, at: number): boolean {
    return (
      !this.#isClosed &&
      !this.#isFragmented &&
      bytes[at] === FINAL_BINARY &&
      (bytes[at + 1] & MASKED) !== 0 &&
      lengthAt(bytes, at) <= this.largest
    );
  }

  /** Returns where the next frame begins, or the end of what has come. */
  #passOver(bytes: Buffer, at: number, payload: number): number {
    if (this.#isClosed) return bytes.length;
    const opcode = bytes[at] & OPCODE;
    if (opcode < CONTROL) this.#isFragmented = (bytes[at] & FINAL) === 0;
    else if (opcode === CLOSE) this.#isClosed = true;
    const end = payload + lengthAt(bytes, at);
    this.#left = Math.max(0, end - bytes.length);
    return Math.min(end, bytes.length);
  }
}

/** Where the payload of the frame at `at` begins; beyond the end if its header has not come as a whole. */
function payloadAt(bytes: Buffer, at: number): number {
  if (at + 1 >= bytes.length) return at + 2;
  const second = bytes[at + 1];
  const length = second & LENGTH;
  return at + 2 + extendedBytes(length) + (second & MASKED ? MASK_BYTES : 0);
}

function extendedBytes(length: number): number {
  if (length < LENGTH_16) return 0;
  return length === LENGTH_64 ? 8 : 2;
}

function lengthAt(bytes: Buffer, at: number): number {
  const length = bytes[at + 1] & LENGTH;
  if (length < LENGTH_16) return length;
  return length === LENGTH_64 ? Number(bytes.readBigUInt64BE(at + 2)) : bytes.readUInt16BE(at + 2);
}

function unmask(bytes: Buffer, from: number, end: number): void {
  const mask = from - MASK_BYTES;
  for (let at = from, index = 0; at < end; at++, index = (index + 1) & 3) bytes[at] ^= bytes[mask + index];
}
