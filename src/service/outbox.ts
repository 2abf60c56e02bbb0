import type { ServerMessage } from '../wire/server-message.js';
import type { Backlog } from './backlog.js';
import type { Encoder, Peer } from './peer.js';

/** The byte stream under a WebSocket: what is written while it is corked goes to the operating system at once. */
export interface Corkable {
  cork(): void;
  uncork(): void;
}

/**
 * The sending side of one connection. What the peer does not read piles up to `bufferBytes` with the operating system
 * and then, bounded, in the backlog; order is kept throughout. The server never waits for a client.
 */
export class Outbox {
  /** The peer reads too slowly. */
  congested = false;
  #isCorked = false;

  constructor(
    readonly socket: Peer,
    readonly codec: Encoder,
    readonly backlog: Backlog,
    readonly bufferBytes: number,
    /** Called when congestion begins and ends. */
    readonly onCongestion: (congested: boolean) => void,
    readonly stream?: Corkable,
  ) {}

  get #isOpen(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  reply(message: ServerMessage): void {
    if (!this.#isOpen) return;
    if (this.congested) this.backlog.reply(message);
    else this.#send(message);
  }

  /** False if the connection is ending: nothing was sent or kept. */
  event(sequence: number, message: ServerMessage): boolean {
    if (!this.#isOpen) return false;
    if (this.congested) this.backlog.event(sequence, message);
    else this.#send(message);
    return true;
  }

  /** Sends what waited. */
  flush(): void {
    if (this.congested || !this.#isOpen) return;
    this.backlog.drain((message) => {
      this.#send(message);
      return !this.congested && this.#isOpen;
    });
  }

  /** One system call for what is sent in a turn of the event loop, not one for each frame. */
  #cork(): void {
    const { stream } = this;
    if (!stream || this.#isCorked) return;
    this.#isCorked = true;
    stream.cork();
    process.nextTick(() => {
      this.#isCorked = false;
      stream.uncork();
    });
  }

  #send(message: ServerMessage): void {
    const { socket } = this;
    this.#cork();
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
