import type { Frame } from '../../protocol/codec.js';
import type { ServerMessage } from '../../protocol/server-message.js';
import type { Backlog } from '../flow/backlog.js';

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

/**
 * The sending side of one connection. What the peer does not read piles up to `bufferBytes` with the operating system
 * and then, bounded, in the backlog; order is kept throughout. The server never waits for a client.
 */
export class Outbox {
  /** The peer reads too slowly. */
  congested = false;
  /** Whether the peer takes what is in the backlog. */
  isReady: boolean;

  constructor(
    readonly socket: Peer,
    readonly codec: Encoder,
    readonly backlog: Backlog,
    readonly bufferBytes: number,
    /** Called when congestion begins and ends. */
    readonly onCongestion: (congested: boolean) => void,
    /** Whether anything may be sent now. */
    readonly maySend: () => boolean,
    /** Whether the backlog keeps what was sent: version 1.1. Then everything goes through it, from `isReady` on. */
    readonly retains = false,
  ) {
    this.isReady = !retains;
  }

  get #isOpen(): boolean {
    return this.socket.readyState === this.socket.OPEN && this.maySend();
  }

  /** Sends a message that is kept only while the peer is slow. */
  send(message: ServerMessage): void {
    if (!this.#isOpen) return;
    if (this.congested) this.backlog.reply(message);
    else this.#transmit(message);
  }

  /** False if the connection is ending: nothing was sent or kept. */
  event(sequence: number, message: ServerMessage): boolean {
    if (this.retains) {
      this.backlog.event(sequence, message);
      this.flush();
      return true;
    }
    if (!this.#isOpen) return false;
    if (this.congested) this.backlog.event(sequence, message);
    else this.#transmit(message);
    return true;
  }

  /** Sends what waited. */
  flush(): void {
    if (this.congested || !this.isReady || !this.#isOpen) return;
    this.backlog.drain(this.#sendNext);
  }

  /** One function for all replies of a session. */
  readonly #sendNext = (message: ServerMessage): boolean => {
    this.#transmit(message);
    return !this.congested && this.#isOpen;
  };

  #transmit(message: ServerMessage): void {
    const { socket } = this;
    const frame = this.codec.encode(message);
    if (socket.bufferedAmount < this.bufferBytes) {
      socket.send(frame);
      return;
    }
    this.congested = true;
    socket.send(frame, (error) => {
      this.congested = false;
      if (error) return;
      this.flush();
      if (!this.congested) this.onCongestion(false);
    });
    this.onCongestion(true);
  }
}
