import type { Frame } from '../../protocol/codec.js';
import type { ServerMessage } from '../../protocol/server-message.js';

/** The other end of a connection as the outbox needs it: a WebSocket, or a stream of Server-Sent Events. */
export interface Peer {
  readonly readyState: number;
  readonly OPEN: number;
  /** Bytes that wait to be taken by the operating system. */
  readonly bufferedAmount: number;
  /** `done` is called when the operating system has taken the frame. */
  send(frame: Frame, done?: (error?: Error | null) => void): void;
  close(code: number, reason: string): void;
}

/** The part of a codec that sends. */
export interface Encoder {
  encode(message: ServerMessage): Frame;
}
