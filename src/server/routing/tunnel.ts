import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { withoutBearer } from '../../protocol/subprotocols.js';
import { clientOf } from '../security/forwarded.js';
import { endSocket } from '../security/sockets.js';
import type { Owner } from '../service/cluster-port.js';
import { relay, unreachable } from './http-forward.js';
import { requestHeaders, type Upstream } from './upstream.js';

/** WebSockets to machines of other nodes: bytes go both ways unchanged, with pings, close codes and backpressure. */
export class Tunnels {
  readonly #open = new Set<Socket>();

  constructor(readonly upstream: Upstream) {}

  /**
   * Resolves when the upgrade is answered: by the owner, whatever it answers. Throws `lease-lost` or `node-unreachable`, and
   * then nothing is sent to the client. `opened` is called if there is a WebSocket, and returns what is to be called at its end.
   */
  open(
    owner: Owner,
    request: FastifyRequest,
    reply: FastifyReply,
    head: Buffer,
    opened: () => () => void,
  ): Promise<void> {
    const { raw } = request;
    const url = raw.url as string;
    const call = { to: owner, method: 'GET', url, headers: upgrade(raw), client: clientOf(request) };
    const sent = this.upstream.open(call, true);
    const abort = () => sent.destroy();
    raw.socket.once('close', abort);
    sent.end();
    return new Promise((resolve, reject) => {
      sent.once('upgrade', (answer, socket, first) => {
        reply.hijack();
        raw.socket.write(switchingProtocols(answer));
        raw.socket.once('close', opened());
        this.#join(raw.socket, socket as Socket, head, first, owner);
        resolve();
      });
      sent.once('response', (answer) => {
        reply.header('connection', 'close');
        relay(answer, request, reply);
        resolve();
      });
      sent.on('error', (error) => reject(unreachable(call, error)));
    });
  }

  #join(client: Socket, owner: Socket, fromClient: Buffer, fromOwner: Buffer, life: Owner): void {
    this.#open.add(client);
    const cancel = this.upstream.cluster.whenGone(life, () => owner.destroy());
    for (const [from, to, first] of [
      [client, owner, fromClient],
      [owner, client, fromOwner],
    ] as const) {
      from.setTimeout(0);
      from.setNoDelay(true);
      // What is lost with one connection shows at the other.
      from.on('error', () => from.destroy());
      from.once('close', () => endSocket(to));
      if (first.length > 0) to.write(first);
      from.pipe(to);
    }
    client.once('close', () => {
      cancel();
      this.#open.delete(client);
    });
  }

  /** Ends all of them; their clients may connect again. */
  close(): void {
    for (const client of this.#open) client.destroy();
  }
}

/** Headers of an upgrade, without the token. */
function upgrade({ headers }: IncomingMessage) {
  const protocols = headers['sec-websocket-protocol'];
  return {
    ...requestHeaders(headers),
    connection: 'Upgrade',
    upgrade: 'websocket',
    ...(protocols !== undefined && { 'sec-websocket-protocol': withoutBearer(protocols) }),
  };
}

function switchingProtocols({ rawHeaders }: IncomingMessage): string {
  let text = 'HTTP/1.1 101 Switching Protocols\r\n';
  for (let at = 0; at < rawHeaders.length; at += 2) text += `${rawHeaders[at]}: ${rawHeaders[at + 1]}\r\n`;
  return `${text}\r\n`;
}
