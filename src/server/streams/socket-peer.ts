import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Frame } from '../../protocol/codec.js';
import type { Peer } from './outbox.js';

/** RFC 6455, 5.2: a binary message in one frame. Those of a server are not masked. */
const FINAL_BINARY = 0x82;
/** Lengths from here on stand in the two bytes behind this number. */
const LENGTH_16 = 126;
/** What is longer is left to `ws`: beside so many bytes the way of one frame costs nothing. */
const LARGEST = 0xffff;

/**
 * A WebSocket with the stream under it, for frames that are many and small: the frames of one turn of the event loop go to
 * the operating system as one buffer. `ws` would write two buffers for each frame, and each frame by itself
 * (docs/decisions/14-small-frames-leave-as-one-buffer.md). Both write to the same stream without compression. What waits for
 * the end of the turn is written before anything of `ws` that must not overtake it, so that the order of frames stays.
 */
export class SocketPeer implements Peer {
  /** Small frames of this turn, without their headers, and their length with headers. */
  #frames: Uint8Array[] = [];
  #length = 0;
  #isCorked = false;

  constructor(
    readonly socket: WebSocket,
    readonly stream: Duplex,
  ) {
    // `ws` also closes by itself, when it reads a close frame.
    const close = socket.close.bind(socket);
    socket.close = (code, reason) => {
      this.#write();
      close(code, reason);
    };
  }

  get readyState(): number {
    return this.socket.readyState;
  }

  get OPEN(): number {
    return this.socket.OPEN;
  }

  get bufferedAmount(): number {
    return this.socket.bufferedAmount + this.#length;
  }

  send(frame: Frame, done?: (error?: Error | null) => void): void {
    this.#cork();
    if (typeof frame === 'string' || frame.length > LARGEST) {
      this.#write();
      this.socket.send(frame, done);
      return;
    }
    this.#frames.push(frame);
    this.#length += headerBytes(frame.length) + frame.length;
    if (done) this.#write(done);
  }

  close(code: number, reason: string): void {
    this.socket.close(code, reason);
  }

  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.stream.cork();
    process.nextTick(this.#endTurn);
  }

  readonly #endTurn = (): void => {
    this.#isCorked = false;
    this.#write();
    this.stream.uncork();
  };

  #write(done?: (error?: Error | null) => void): void {
    if (this.#length === 0) return;
    const buffer = Buffer.allocUnsafe(this.#length);
    let at = 0;
    for (const frame of this.#frames) at = put(buffer, at, frame);
    this.#frames = [];
    this.#length = 0;
    this.stream.write(buffer, done);
  }
}

function headerBytes(length: number): number {
  return length < LENGTH_16 ? 2 : 4;
}

/** Returns where the next frame begins. */
function put(buffer: Buffer, at: number, frame: Uint8Array): number {
  const { length } = frame;
  const from = at + headerBytes(length);
  buffer[at] = FINAL_BINARY;
  if (length < LENGTH_16) buffer[at + 1] = length;
  else {
    buffer[at + 1] = LENGTH_16;
    buffer.writeUInt16BE(length, at + 2);
  }
  buffer.set(frame, from);
  return from + length;
}
