import type { WebSocket } from 'ws';
import type { Backlog } from './backlog.js';

/**
 * The sending side of one connection. What the peer does not read piles up to `bufferBytes` with the operating system
 * and then, bounded, in the backlog; order is kept throughout. The server never waits for a client.
 */
export class Outbox {
  /** The peer reads too slowly. */
  congested = false;

  constructor(
    readonly socket: WebSocket,
    readonly backlog: Backlog,
    readonly bufferBytes: number,
    /** Called when congestion begins and ends. */
    readonly onCongestion: (congested: boolean) => void,
  ) {}

  get #isOpen(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  reply(text: string): void {
    if (!this.#isOpen) return;
    if (this.congested) this.backlog.reply(text);
    else this.#send(text);
  }

  /** False if the connection is ending: nothing was sent or kept. */
  event(sequence: number, text: string): boolean {
    if (!this.#isOpen) return false;
    if (this.congested) this.backlog.event(sequence, text);
    else this.#send(text);
    return true;
  }

  /** Sends what waited. */
  flush(): void {
    if (this.congested || !this.#isOpen) return;
    this.backlog.drain((text) => {
      this.#send(text);
      return !this.congested && this.#isOpen;
    });
  }

  #send(text: string): void {
    const { socket } = this;
    if (socket.bufferedAmount < this.bufferBytes) {
      socket.send(text);
      return;
    }
    this.congested = true;
    socket.send(text, (error) => {
      this.congested = false;
      if (error) return;
      this.flush();
      if (!this.congested) this.onCongestion(false);
    });
    this.onCongestion(true);
  }
}
