import type { Socket } from 'node:net';

/** The number of bytes that the operating system has not taken yet; Node itself looks at it for its timeouts. */
interface WithHandle {
  readonly _handle?: { readonly writeQueueSize?: number } | null;
}

/** Tells a connection whose other end is gone, or takes nothing, from one that is only slow or silent. */
export class Liveness {
  #received: number;
  #sent = 0;
  #queued = 0;
  #missed = 0;

  constructor(
    readonly socket: Socket,
    /** Heartbeats in a row without a sign of life, after which the other end is taken for dead. */
    readonly limit: number,
  ) {
    this.#received = socket.bytesRead;
  }

  /**
   * To be called at each heartbeat; false if the other end is dead. What waits to be sent must move. If nothing waits,
   * something must have come, provided that an answer is due (`answers`).
   */
  beat(answers: boolean): boolean {
    const { bytesRead, bytesWritten, writableLength } = this.socket;
    const queued = (this.socket as WithHandle)._handle?.writeQueueSize ?? 0;
    const sent = bytesWritten - writableLength;
    const moves = sent !== this.#sent || queued !== this.#queued;
    const isAlive = bytesRead !== this.#received || (writableLength > 0 ? moves : !answers);
    this.#received = bytesRead;
    this.#sent = sent;
    this.#queued = queued;
    this.#missed = isAlive ? 0 : this.#missed + 1;
    return this.#missed < this.limit;
  }
}
