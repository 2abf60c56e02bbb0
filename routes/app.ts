import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type {
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { Logger } from 'pino';
import { CLOSED } from '../src/protocol/json/schemas.js';
import { Type } from '../src/schema/type.js';
import type { ForwardedClient } from '../src/server/security/forwarded.js';
import type { RequiredRole } from '../src/server/security/roles.js';
import type { ShownToken } from '../src/server/security/token-file.js';
import type { Owner } from '../src/server/service/cluster-port.js';
import type { Service } from '../src/server/service/service.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may use the route. The server does not start with a route that does not say it. */
    access: RequiredRole;
    /** Whether the route is a WebSocket. */
    socket?: boolean;
    /** Whether every node of a cluster answers it, although it concerns a machine; without it, the owner does. */
    anyNode?: boolean;
    /** Whether every node of a cluster answers it for a machine that no node can start. */
    servesUnstartable?: boolean;
  }

  interface FastifyRequest {
    /** The token that was shown; null if none is needed. */
    token: ShownToken | null;
    /** The client, if another node of the cluster has forwarded the request. */
    forwarded: ForwardedClient | null;
    /** Whether another node has the machine. */
    isRouted: boolean;
    /** The node that has the machine, if the client of a WebSocket goes there by itself. */
    owner: Owner | null;
  }
}

/** The server's Fastify instance: what a schema says is what a handler gets. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  Logger,
  TypeBoxTypeProvider
>;

/** Registers the routes of one resource. */
export type Routes = (app: App, service: Service) => void | Promise<void>;

export const MachineParams = Type.Object({ machine: Type.String({ description: 'Name of a machine.' }) });

/** A resource that HEAD asks for as well, as probes and load balancers do; Node leaves the body of the answer out. */
export function readable<Url extends string>(url: Url) {
  return { method: ['GET', 'HEAD'] as ['GET', 'HEAD'], url };
}

/** A request that says everything by its path. */
export const Nothing = Type.Object({}, CLOSED);

/** What every refusal looks like: docs/errors.md. */
export const ErrorReply = Type.Object(
  {
    error: Type.Object({ code: Type.String(), message: Type.String() }, { additionalProperties: true }),
  },
  { description: 'Refused: a code for programs and a sentence for people. Nothing was changed.' },
);

/** Replies by status. They document: what is sent is not cut down to them. */
export type Replies = { readonly [status: string]: unknown };

export const DONE: Replies = { 204: Type.Null({ description: 'Done.' }), '4xx': ErrorReply };

/** The reply to a request, described but not spelt out. */
export function replies(description: string, status = 200): Replies {
  return { [status]: Type.Object({}, { additionalProperties: true, description }), '4xx': ErrorReply };
}
