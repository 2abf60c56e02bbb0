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
 * A WebSocket with the stream under it, for frames that are many and small: header and payload are written as one buffer,
 * and what is sent in one turn of the event loop goes to the operating system at once. `ws` would write two buffers, and
 * each frame by itself (docs/decisions/14-small-frames-leave-as-one-buffer.md). It writes to the same stream, at once and without
 * compression, so that the order of frames stays.
 */
export class SocketPeer implements Peer {
  #isCorked = false;

  constructor(
    readonly socket: WebSocket,
    readonly stream: Duplex,
  ) {}

  get readyState(): number {
    return this.socket.readyState;
  }

  get OPEN(): number {
    return this.socket.OPEN;
  }

  get bufferedAmount(): number {
    return this.socket.bufferedAmount;
  }

  send(frame: Frame, done?: (error?: Error | null) => void): void {
    this.#cork();
    if (typeof frame === 'string' || frame.length > LARGEST) this.socket.send(frame, done);
    else this.stream.write(binaryFrame(frame), done);
  }

  close(code: number, reason: string): void {
    this.socket.close(code, reason);
  }

  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.stream.cork();
    process.nextTick(this.#uncork);
  }

  readonly #uncork = (): void => {
    this.#isCorked = false;
    this.stream.uncork();
  };
}

function binaryFrame(payload: Uint8Array): Buffer {
  const { length } = payload;
  const isShort = length < LENGTH_16;
  const from = isShort ? 2 : 4;
  const frame = Buffer.allocUnsafe(from + length);
  frame[0] = FINAL_BINARY;
  if (isShort) frame[1] = length;
  else {
    frame[1] = LENGTH_16;
    frame.writeUInt16BE(length, 2);
  }
  frame.set(payload, from);
  return frame;
}
