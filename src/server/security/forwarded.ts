import type { FastifyRequest } from 'fastify';
import type { ShownToken } from './token-file.js';
import { isUnixSocket } from './unix-socket.js';

/** For whom a node forwards a request: it has verified the token. */
export interface ForwardedClient {
  readonly address: string | undefined;
  /** Undefined if the client showed none, because that node wants none. */
  readonly token?: ShownToken | undefined;
  /** It came through the node's Unix socket without a token, and may do everything. */
  readonly isLocal: boolean;
}

/** Header of a request that one node of a cluster forwards to another: for whom, and proof of that. */
export const FORWARDED = 'southbridge-forwarded';
/** Header of a response of 503 to such a request, which was not executed: another node may have the machine. */
export const NOT_EXECUTED = 'southbridge-not-executed';

/** Address of the client: not of the node that forwarded the request. */
export function addressOf({ forwarded, ip }: FastifyRequest): string | undefined {
  return forwarded ? forwarded.address : ip;
}

/** What this node says of the client of a request to another node. */
export function clientOf(request: FastifyRequest): ForwardedClient {
  if (request.forwarded) return request.forwarded;
  const { token, raw } = request;
  const isLocal = !token && isUnixSocket(raw.socket);
  if (!token) return { address: request.ip, isLocal };
  const { name, role, made, machines, expires } = token;
  return { address: request.ip, token: { name, role, made, machines, expires }, isLocal };
}
