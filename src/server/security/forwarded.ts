import type { FastifyRequest } from 'fastify';
import type { ForwardedClient } from '../service/cluster-port.js';
import { isUnixSocket } from './unix-socket.js';

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
