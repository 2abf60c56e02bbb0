import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Random } from './random.js';

/** What becomes of the bytes of connections: `split` and `delay` lose nothing, the others end connections. */
export const FAULTS = ['cut', 'drop-up', 'drop-down', 'half-close-up', 'half-close-down', 'split', 'delay'] as const;
export type Fault = (typeof FAULTS)[number];

/** One direction of a connection. */
class Pipe {
  isDropping = false;
  readonly #waiting: Buffer[] = [];

  constructor(
    from: Socket,
    readonly to: Socket,
    readonly proxy: FaultProxy,
  ) {
    from.on('data', (data) => this.#take(data));
  }

  #take(data: Buffer): void {
    if (this.isDropping) return;
    for (const part of this.proxy.isSplitting ? this.#parts(data) : [data]) this.#waiting.push(part);
    if (!this.proxy.isDelaying) this.release();
  }

  #parts(data: Buffer): Buffer[] {
    const parts: Buffer[] = [];
    for (let at = 0; at < data.length; ) {
      const length = 1 + this.proxy.random.below(40);
      parts.push(data.subarray(at, at + length));
      at += length;
    }
    return parts;
  }

  release(): void {
    for (const part of this.#waiting.splice(0)) if (!this.isDropping && this.to.writable) this.to.write(part);
  }
}

interface Link {
  readonly near: Socket;
  readonly far: Socket;
  readonly up: Pipe;
  readonly down: Pipe;
}

/** Passes bytes between clients and a server, and does to them what a network may. */
export class FaultProxy {
  isSplitting = false;
  isDelaying = false;
  /** Whether new connections are refused. */
  isBlocked = false;
  /** Connections that were accepted and ended at once, because of that. */
  refused = 0;
  readonly #links = new Set<Link>();
  readonly #server: Server;

  private constructor(
    readonly port: number,
    readonly random: Random,
  ) {
    this.#server = createServer((near) => this.#join(near));
  }

  /** To a server at this port of the loopback interface. */
  static async start(port: number, random: Random): Promise<FaultProxy> {
    const proxy = new FaultProxy(port, random);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #join(near: Socket): void {
    if (this.isBlocked) {
      this.refused++;
      near.on('error', () => {}).destroy();
      return;
    }
    const far = connect(this.port, '127.0.0.1');
    for (const socket of [near, far]) socket.setNoDelay(true).on('error', () => {});
    const link = { near, far, up: new Pipe(near, far, this), down: new Pipe(far, near, this) };
    this.#links.add(link);
    const end = () => {
      this.#links.delete(link);
      near.destroy();
      far.destroy();
    };
    near.on('close', end);
    far.on('close', end);
  }

  /** Lets all connections suffer a fault. */
  inject(fault: Fault): void {
    if (fault === 'split') this.isSplitting = true;
    if (fault === 'delay') this.isDelaying = true;
    for (const { near, far, up, down } of this.#links) {
      if (fault === 'cut') near.destroy();
      if (fault === 'drop-up') up.isDropping = true;
      if (fault === 'drop-down') down.isDropping = true;
      if (fault === 'half-close-up') far.end();
      if (fault === 'half-close-down') near.end();
    }
  }

  /** Delivers what was delayed. */
  release(): void {
    for (const { up, down } of this.#links) {
      up.release();
      down.release();
    }
  }

  /** Ends all faults, and the connections that lost bytes. */
  heal(): void {
    this.isSplitting = false;
    this.isDelaying = false;
    this.release();
    for (const { near, far, up, down } of this.#links) {
      if (up.isDropping || down.isDropping || near.writableEnded || far.writableEnded) near.destroy();
    }
  }

  async stop(): Promise<void> {
    this.inject('cut');
    this.#server.close();
  }
}
