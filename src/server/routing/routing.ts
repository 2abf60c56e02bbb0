import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SouthbridgeError } from '../../errors.js';
import { follows } from '../../protocol/subprotocols.js';
import { addressOf, clientOf, FORWARDED, type ForwardedClient } from '../security/forwarded.js';
import type { AddressSockets } from '../security/sockets.js';
import type { ClusterPort, NodeAnswer, NodeCall, OtherNode, RoutingPort } from '../service/cluster-port.js';
import type { Service } from '../service/service.js';
import { answerTo, forwardHttp, unreachable } from './http-forward.js';
import { redirectOf, withoutRedirect } from './redirect.js';
import { Tunnels } from './tunnel.js';
import { Upstream } from './upstream.js';

/** Sends requests for machines of other nodes there. */
export class Routing implements RoutingPort {
  readonly #upstream: Upstream;
  readonly #tunnels: Tunnels;
  /** What clients sent right behind their upgrades. */
  readonly #heads = new WeakMap<IncomingMessage, Buffer>();

  constructor(
    readonly service: Service,
    readonly cluster: ClusterPort,
    readonly sockets: AddressSockets,
  ) {
    this.#upstream = new Upstream(cluster);
    this.#tunnels = new Tunnels(this.#upstream);
  }

  serve(app: FastifyInstance): void {
    app.server.prependListener('upgrade', (request: IncomingMessage, _socket: Duplex, head: Buffer) =>
      this.#heads.set(request, head),
    );
    app.addHook('preClose', async () => this.#tunnels.close());
    app.addHook('onClose', async () => this.#upstream.close());
  }

  /** The client of a request that another node has forwarded. Throws as `ClusterPort.verify`. */
  verify({ raw }: FastifyRequest): ForwardedClient | null {
    const proof = raw.headers[FORWARDED];
    if (proof === undefined) return null;
    return this.cluster.verify(String(proof), raw.method as string, raw.url as string);
  }

  /**
   * Answers a request for a machine that another node has: true, if it did. The owner's lease, access rules and limits decide.
   * A request that was forwarded once is refused with `machine-moved`. Throws as `forwardHttp`, unless the route serves machines
   * that no node can start.
   */
  async route(request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
    try {
      return await this.#route(request, reply);
    } catch (error) {
      const isUnstartable = error instanceof SouthbridgeError && error.code === 'machine-unstartable';
      if (!isUnstartable || !request.routeOptions.config.servesUnstartable) throw error;
      request.isRouted = false;
      return false;
    }
  }

  async #route(request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
    const { machine } = (request.params ?? {}) as { readonly machine?: string };
    if (machine === undefined || request.routeOptions.config.anyNode) return false;
    const isRedirected = redirectOf(request) ?? this.service.configuration.cluster.redirect;
    if (this.service.machines.has(machine)) return false;
    if (request.forwarded) throw new SouthbridgeError('machine-moved', { machine, retryAfter: 1 });
    request.isRouted = true;
    if (request.ws) return this.#routeSocket(request, reply, machine);
    const url = withoutRedirect(request.raw.url as string);
    if (!isRedirected) await forwardHttp(this.#upstream, request, reply, machine, url);
    else {
      const { address } = await this.cluster.ownerOf(machine, true);
      reply
        .code(307)
        .header('location', address + url)
        .send();
    }
    return true;
  }

  async #routeSocket(request: FastifyRequest, reply: FastifyReply, machine: string): Promise<boolean> {
    const { raw } = request;
    this.service.requireRoom(addressOf(request));
    const owner = await this.cluster.ownerOf(machine, true);
    if (follows(raw.headers['sec-websocket-protocol'])) {
      // The route greets the client, and names the owner.
      request.owner = owner;
      return false;
    }
    const head = this.#heads.get(raw) ?? Buffer.alloc(0);
    await this.#tunnels.open(owner, request, reply, head, () => this.#opened(request));
    return true;
  }

  #opened(request: FastifyRequest): () => void {
    this.sockets.admitted(request.raw.socket);
    const kind = request.routeOptions.url?.endsWith('/irqs') ? 'irqs' : 'vcpu';
    return this.service.connections.opened(kind, addressOf(request));
  }

  /** Asks another node on behalf of the client of a request. Throws `lease-lost` or `node-unreachable`. */
  async ask(to: OtherNode, { method, url, body }: NodeCall, request: FastifyRequest): Promise<NodeAnswer> {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const call = { to, method, url, headers, client: clientOf(request) };
    const sent = this.#upstream.open(call);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
    const answer = await answerTo(sent, call);
    try {
      return { status: answer.statusCode as number, body: JSON.parse((await text(answer)) || 'null') };
    } catch (error) {
      // The answer broke off, or is none of a node.
      throw unreachable(call, error);
    }
  }
}
