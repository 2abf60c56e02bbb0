import type { ClientMessage } from './client-message.js';
import type { ServerMessage } from './server-message.js';

/** The payload of one WebSocket message: a string is sent as text. */
export type Frame = string | Uint8Array;

/** One form of the protocol, as the server speaks it. */
export interface Codec {
  readonly subprotocol: string;
  encode(message: ServerMessage): Frame;
  /**
   * Reads a message: the bytes from `from` to before `end`, by default all. Checks all that does not depend on a machine.
   * Throws RefusedFrame.
   */
  decode(data: Uint8Array, isBinary: boolean, from?: number, end?: number): ClientMessage;
}

/** The same form as a client speaks it. */
export interface ClientCodec {
  readonly subprotocol: string;
  encode(message: ClientMessage): Frame;
  /** Of a frame that a server made. */
  decode(frame: Frame): ServerMessage;
}

/** A frame that is refused. */
export class RefusedFrame extends Error {
  override readonly name = 'RefusedFrame';

  constructor(
    /** Of the request, if the frame shows one. */
    readonly id: number | undefined,
    /** A SouthbridgeError, unless the codec itself is at fault. */
    readonly error: unknown,
  ) {
    super(String(error));
  }
}
