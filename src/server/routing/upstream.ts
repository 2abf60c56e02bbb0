import { type ClientRequest, Agent as HttpAgent, request as http, type IncomingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent, request as https } from 'node:https';
import type { Socket } from 'node:net';
import { FORWARDED, type ForwardedClient } from '../security/forwarded.js';
import type { ClusterPort, OtherNode } from '../service/cluster-port.js';

/** For a connection to another node. What it then answers with takes its time. */
const CONNECT_MS = 2000;

/** RFC 9110, 7.6.1: headers of one connection, besides those that `connection` names. */
const OF_CONNECTION = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** Headers that the first node has checked, or that are for it alone. The passport says whose token it was. */
const OF_FIRST_NODE = ['authorization', 'expect', 'host', 'origin', FORWARDED];

/** A request to another node. */
export interface Call {
  readonly to: OtherNode;
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly client: ForwardedClient;
}

/** Requests to other nodes. `https` addresses need certificates that Node trusts. */
export class Upstream {
  readonly #http = new HttpAgent({ keepAlive: true });
  readonly #https = new HttpsAgent({ keepAlive: true });

  constructor(readonly cluster: ClusterPort) {}

  /** A request whose body is to be sent. It fails once the lease of that node is closed. Throws `lease-lost`. */
  open({ to, method, url, headers, client }: Call, isUpgrade = false): ClientRequest {
    const { protocol, hostname, port } = new URL(to.address);
    const isSecure = protocol === 'https:';
    const agent = isSecure ? this.#https : this.#http;
    const sent = (isSecure ? https : http)({
      hostname: hostname.replace(/^\[|\]$/g, ''),
      ...(port && { port }),
      method,
      path: url,
      headers: { ...headers, [FORWARDED]: this.cluster.issue(to, method, url, client) },
      agent: isUpgrade ? false : agent,
    });
    const cancel = this.cluster.whenGone(to, () => sent.destroy(new Error('its lease was closed')));
    sent.once('close', cancel);
    sent.once('socket', (socket) => limitConnecting(sent, socket));
    return sent;
  }

  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }
}

function limitConnecting(request: ClientRequest, socket: Socket): void {
  if (!socket.connecting) return;
  const late = () => request.destroy(new Error(`no connection within ${CONNECT_MS} ms`));
  const timer = setTimeout(late, CONNECT_MS);
  const settled = () => clearTimeout(timer);
  socket.once('connect', settled);
  socket.once('close', settled);
}

/** Headers of a client's request that another node is to see. */
export function requestHeaders(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return without(headers, OF_FIRST_NODE);
}

/** Headers without those of one connection, and some others. */
export function without(headers: IncomingHttpHeaders, others: readonly string[]): IncomingHttpHeaders {
  const named = (headers.connection ?? '').toLowerCase().split(',');
  const left = new Set([...OF_CONNECTION, ...others, ...named.map((name) => name.trim())]);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !left.has(name)));
}
