import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import { readServerFrame } from '../../src/protocol/protobuf/answers.js';
import type { ServerMessage } from '../../src/protocol/server-message.js';

/** The frames to be sent on in place of one of the server's; `stream` of an IRQ stream, else of a vCPU. */
export type Meddle = (message: ServerMessage, frame: Uint8Array, stream: boolean) => readonly Uint8Array[];

/** Stands between clients and a server, passes everything on, and changes the server's frames as the test asks. */
export class MeddlingProxy {
  /** Headers of all requests and upgrades. */
  readonly headers: IncomingMessage['headers'][] = [];
  readonly #sockets = new WebSocketServer({ noServer: true, handleProtocols: ([first]) => first });
  readonly #server: Server;

  private constructor(
    readonly target: string,
    readonly meddle: Meddle,
  ) {
    this.#server = createServer((incoming, outgoing) => {
      this.headers.push(incoming.headers);
      const { method, url, headers } = incoming;
      const onward = request(new URL(url ?? '/', this.target), { method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      onward.on('error', () => outgoing.destroy());
      incoming.pipe(onward);
    });
    this.#server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.headers.push(incoming.headers);
      const onward = this.#onward(incoming);
      onward.once('unexpected-response', () => socket.destroy());
      onward.once('error', () => socket.destroy());
      // What comes with the answer is for a client that is not there yet.
      onward.once('open', () => {
        onward.pause();
        this.#sockets.handleUpgrade(incoming, socket, head, (client) => this.#join(client, onward, incoming.url ?? ''));
      });
    });
  }

  static async start(target: string, meddle: Meddle): Promise<MeddlingProxy> {
    const proxy = new MeddlingProxy(target, meddle);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const client of this.#sockets.clients) client.terminate();
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #onward({ url = '/', headers }: IncomingMessage): WebSocket {
    const protocols = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
    return new WebSocket(this.target.replace(/^http/, 'ws') + url, protocols, { perMessageDeflate: false });
  }

  #join(client: WebSocket, onward: WebSocket, url: string): void {
    const stream = url.includes('/irqs');
    client.on('message', (data: RawData) => onward.send(data as Buffer));
    client.on('close', () => onward.close());
    onward.on('message', (data: Buffer) => {
      for (const frame of this.meddle(readServerFrame(data), data, stream)) client.send(frame);
    });
    onward.on('close', (code) => client.close(code >= 3000 ? code : 1000));
    onward.resume();
  }
}
