import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { pipeline } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SouthbridgeError } from '../../errors.js';
import { clientOf, NOT_EXECUTED } from '../security/forwarded.js';
import type { Owner } from '../service/cluster-port.js';
import { type Call, requestHeaders, type Upstream, without } from './upstream.js';

/** Whether a request that has no body may go to another node: this one has not executed it. */
function isElsewhere({ statusCode, headers }: IncomingMessage): boolean {
  return statusCode === 503 && headers[NOT_EXECUTED] !== undefined;
}

export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/**
 * Sends a client's request to the owner of the machine, and its answer to the client, without storing either. A request without
 * a body goes on to the next owner, once, if the first has the machine no longer. Throws as `ClusterPort.ownerOf`, `lease-lost`
 * or `node-unreachable`, and then nothing is sent to the client.
 */
export async function forwardHttp(
  upstream: Upstream,
  request: FastifyRequest,
  reply: FastifyReply,
  machine: string,
  url: string,
): Promise<void> {
  const { raw, method } = request;
  // Its body can be sent once only, so the owner has to be right.
  const isOnce = hasBody(raw);
  const send = async (owner: Owner) => {
    const headers = requestHeaders(raw.headers);
    const call: Call = { to: owner, method, url, headers, client: clientOf(request) };
    const sent = upstream.open(call);
    const abort = () => sent.destroy();
    reply.raw.once('close', abort);
    sent.once('close', () => reply.raw.off('close', abort));
    if (isOnce) raw.pipe(sent);
    else sent.end();
    return answerTo(sent, call);
  };
  let answer = await send(await upstream.cluster.ownerOf(machine, isOnce));
  if (!isOnce && isElsewhere(answer)) {
    answer.resume();
    answer = await send(await upstream.cluster.ownerOf(machine, true));
  }
  relay(answer, request, reply);
}

/** Resolves to the answer. Rejects with `node-unreachable`. */
export function answerTo(sent: ClientRequest, call: Pick<Call, 'to' | 'method' | 'url'>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once('response', resolve);
    sent.on('error', (error) => reject(unreachable(call, error)));
  });
}

/** `node-unreachable`: what a node was asked, and what came between. */
export function unreachable(
  { to, method, url }: Pick<Call, 'to' | 'method' | 'url'>,
  error: unknown,
): SouthbridgeError {
  const { node, address } = to;
  const request = `${method} ${url}`;
  return new SouthbridgeError('node-unreachable', { node, request, address, reason: (error as Error).message });
}

function own(reply: FastifyReply): OutgoingHttpHeaders {
  return reply.getHeaders() as OutgoingHttpHeaders;
}

/** Sends the answer of another node to the client. If that breaks off, so does what the client gets. */
export function relay(answer: IncomingMessage, { raw }: FastifyRequest, reply: FastifyReply): void {
  const headers: OutgoingHttpHeaders = { ...own(reply), ...without(answer.headers, [NOT_EXECUTED]) };
  // The next request would begin behind the rest of this one's body.
  if (!raw.complete) headers.connection = 'close';
  reply.hijack();
  reply.raw.writeHead(answer.statusCode as number, headers);
  reply.raw.flushHeaders();
  pipeline(answer, reply.raw, () => {});
}
