import type { Server, ServerResponse } from 'node:http';
import { type BlockList, isIPv6, type Socket } from 'node:net';
import { blockListOf } from '../../config/exposure.js';

/** For the peer to close a connection after its last answer, in ms. Then the server ends it. */
const LINGER_MS = 1000;

/**
 * TCP connections of peers that have not shown a token yet, by address: one address must not take the places of all
 * others. A connection of a trusted proxy stands for many addresses, and is not counted.
 */
export class AddressSockets {
  readonly #proxies: BlockList;
  readonly #sockets = new Map<string, number>();
  /** Connections that are counted: their address, by their ends. TLS has a socket of its own with the same ends. */
  readonly #counted = new Map<string, string>();

  constructor(
    readonly limit: number,
    trustProxy: readonly string[],
  ) {
    this.#proxies = blockListOf(trustProxy);
  }

  watch(server: Server): void {
    server.on('connection', (socket: Socket) => this.#opened(socket));
  }

  #opened(socket: Socket): void {
    const { remoteAddress: address } = socket;
    if (address === undefined || this.#proxies.check(plain(address), isIPv6(plain(address)) ? 'ipv6' : 'ipv4')) return;
    const open = this.#sockets.get(address) ?? 0;
    if (open >= this.limit) {
      // TLS still has to set up what it then ends.
      process.nextTick(() => socket.destroy());
      return;
    }
    const ends = endsOf(socket);
    this.#sockets.set(address, open + 1);
    this.#counted.set(ends, address);
    socket.once('close', () => this.#release(ends));
  }

  /** The peer has shown a token, or has become a WebSocket, which has limits of its own. */
  admitted(socket: Socket): void {
    this.#release(endsOf(socket));
  }

  #release(ends: string): void {
    const address = this.#counted.get(ends);
    if (address === undefined) return;
    this.#counted.delete(ends);
    const left = (this.#sockets.get(address) ?? 0) - 1;
    if (left > 0) this.#sockets.set(address, left);
    else this.#sockets.delete(address);
  }
}

function endsOf({ remoteAddress, remotePort, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localPort}`;
}

function plain(address: string): string {
  return address.replace(/^::ffff:/, '');
}

/** Sends the last of a connection, and ends it after a moment if the peer does not: half of it would keep its place. */
export function endSocket(socket: Socket, last = ''): void {
  socket.end(last);
  const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
  socket.once('close', () => clearTimeout(timer));
}

/**
 * Ends connections on which nothing has moved for `ms`, if they are idle after an answer, or do not take one. What is
 * still to come of a request has deadlines of its own, and an answer that the server owes may take any time.
 */
export function endStalled(server: Server, ms: number, answerOf: (socket: Socket) => ServerResponse | undefined): void {
  server.setTimeout(ms, (socket) => {
    // What an answer has not sent waits in the socket, unless an answer before it is still owed.
    if (socket.writableLength > 0 || answerOf(socket)?.writableFinished) socket.destroy();
  });
}
