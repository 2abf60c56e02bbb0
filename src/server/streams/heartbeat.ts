import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { Liveness } from './liveness.js';

/** Asks every WebSocket for a sign of life now and then, and cuts off those that give none. */
export class Heartbeat {
  readonly #watched = new Map<WebSocket, Liveness>();
  readonly #timer: NodeJS.Timeout;

  constructor(
    everyMs: number,
    /** Heartbeats without an answer, after which the other end is taken for dead. */
    readonly limit: number,
  ) {
    this.#timer = setInterval(() => this.#beat(), everyMs).unref();
  }

  /** `connection` is what the WebSocket runs over. */
  watch(socket: WebSocket, connection: Socket): void {
    this.#watched.set(socket, new Liveness(connection, this.limit));
    socket.on('close', () => this.#watched.delete(socket));
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #beat(): void {
    for (const [socket, liveness] of this.#watched) {
      // One that is read no further for now cannot be heard.
      if (!liveness.beat(!socket.isPaused)) socket.terminate();
      else if (socket.readyState === socket.OPEN && socket.bufferedAmount === 0) socket.ping();
    }
  }
}
