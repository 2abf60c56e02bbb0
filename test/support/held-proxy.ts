import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Test } from 'tap';

/** Directions, as seen from the client. */
export type Direction = 'up' | 'down';

/** Passes bytes to a server. What it holds back in a partition it passes on afterwards, as a network does that sends again. */
export class HeldProxy {
  readonly held = new Set<Direction>();
  readonly #links = new Set<{ readonly near: Socket; readonly far: Socket }>();

  private constructor(
    readonly port: number,
    readonly server: Server,
  ) {
    server.on('connection', (near) => this.#join(near));
  }

  static async start(t: Test, port: number): Promise<HeldProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new HeldProxy(port, server);
    t.teardown(() => proxy.stop());
    return proxy;
  }

  get url(): string {
    return `nats://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  #join(near: Socket): void {
    const far = connect(this.port, '127.0.0.1');
    const link = { near, far };
    this.#links.add(link);
    const end = () => {
      near.destroy();
      far.destroy();
      this.#links.delete(link);
    };
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      from.on('data', (data) => to.write(data));
      from.on('error', end).on('close', end);
    }
    this.#apply(link);
  }

  #apply({ near, far }: { readonly near: Socket; readonly far: Socket }): void {
    for (const [socket, direction] of [
      [near, 'up'],
      [far, 'down'],
    ] as const) {
      if (this.held.has(direction)) socket.pause();
      else socket.resume();
    }
  }

  hold(...directions: readonly Direction[]): void {
    this.held.clear();
    for (const direction of directions) this.held.add(direction);
    for (const link of this.#links) this.#apply(link);
  }

  stop(): void {
    this.server.close();
    for (const { near, far } of this.#links) {
      near.destroy();
      far.destroy();
    }
  }
}
