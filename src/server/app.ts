import type { IncomingMessage } from 'node:http';
import helmet from '@fastify/helmet';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import type { Logger } from 'pino';
import { type App, type RouteInfo, registerRoutes } from '../../routes/index.js';
import { SouthbridgeError } from '../errors.js';
import { duplicateKey } from '../protocol/json/duplicate-key.js';
import { compileCoercing, compileStrict, whenNeeded } from '../protocol/json/validation.js';
import { dropNegativeZeros } from '../schema/validate.js';
import {
  answerClientError,
  answerOf,
  challenge,
  codedError,
  noteResponses,
  refuseExpectations,
} from './http-errors.js';
import { begins, meterRequests } from './metering.js';
import type { Routing } from './routing/routing.js';
import { type Admission, refuseTokenInUrl } from './security/admission.js';
import { addressOf, FORWARDED, NOT_EXECUTED } from './security/forwarded.js';
import { GatewayTime } from './security/gateway-time.js';
import { BARE_HEADERS, SECURITY_HEADERS } from './security/headers.js';
import { isPreflight, originHeaders, PREFLIGHT_HEADERS } from './security/origins.js';
import type { RequiredRole } from './security/roles.js';
import { AddressSockets, endStalled } from './security/sockets.js';
import type { TlsFiles } from './security/tls-files.js';
import type { ShownToken } from './security/token-file.js';
import { socketsFor } from './service/open-files.js';
import type { Service } from './service/service.js';
import { Guard } from './streams/guard.js';
import { registerSockets } from './streams/sockets.js';

/** How often Node looks for requests that are late, in parts of the time that they have. */
const LOOKS = 4;
/** Connections that every address may have, however small `limits.sockets` is. */
const LEAST_PER_ADDRESS = 4;

export interface AppOptions {
  readonly service: Service;
  readonly logger: Logger;
  readonly admission: Admission;
  /** Certificate and key; without them the server speaks plain HTTP. */
  readonly tls?: TlsFiles | undefined;
  /** Called with every route. */
  readonly onRoute?: (route: RouteInfo) => void;
}

/** Builds the HTTP and WebSocket side of a service; it does not listen. */
export async function buildApp({ service, logger, admission, tls, onRoute }: AppOptions): Promise<App> {
  const { limits, trustProxy } = service.configuration;
  const patience = {
    headersTimeout: limits.headersMs,
    connectionsCheckingInterval: Math.ceil(limits.headersMs / LOOKS),
    // The guard refuses a request without Host, with a code.
    requireHostHeader: false,
  };
  const app: FastifyInstance = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    // Refused with a code instead, by a hook below.
    return503OnClosing: false,
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestMs,
    ...(tls ? { https: { ...tls, handshakeTimeout: limits.headersMs, ...patience } } : { http: patience }),
    trustProxy: trustProxy.length > 0 ? [...trustProxy] : false,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 256 },
    clientErrorHandler: (error, socket) => answerClientError(error, socket, limits),
    frameworkErrors: (error, request, reply) => {
      reply.headers(BARE_HEADERS);
      sendError(error, request as FastifyRequest, reply as FastifyReply);
    },
  }) as unknown as FastifyInstance;

  // Compiled when it is needed first: all of them at once would be a third of the time that a start takes.
  app.setValidatorCompiler(({ schema, httpPart }) =>
    whenNeeded(() => (httpPart === 'body' ? compileStrict(schema as object) : compileCoercing(schema as object))),
  );
  // Response schemas document; a serializer made from them would drop what they do not name.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.server.maxConnections = socketsFor(service.configuration);
  noteResponses(app.server);
  // After the deadlines of requests, whose end is answered.
  endStalled(app.server, limits.headersMs + limits.requestMs, answerOf);
  const half = Math.max(LEAST_PER_ADDRESS, Math.floor(limits.sockets / 2));
  const sockets = new AddressSockets(limits.socketsPerAddress || half, trustProxy);
  sockets.watch(app.server);
  refuseExpectations(app.server);
  app.removeContentTypeParser('text/plain');
  const time = new GatewayTime(limits.gatewayMsPerSecond);
  app.decorateRequest('token', null);
  app.decorateRequest('forwarded', null);
  app.decorateRequest('isRouted', false);
  app.decorateRequest('owner', null);
  app.decorateRequest('computingSince', undefined);
  if (admission.isNeeded) meterRequests(app, time);
  takeStrictJson(app);
  app.setErrorHandler(sendError);

  await app.register(helmet, SECURITY_HEADERS);
  await registerSockets(app, service, admission, sockets);
  // After the plugin's hooks, which see to it that the socket of a refused upgrade ends.
  const routing = await routingOf(app, service, sockets);
  guardRequests(app, service, admission, sockets, time, routing);
  const routes = await registerRoutes(app as unknown as App, service);
  for (const route of routes) onRoute?.(route);
  return app as unknown as App;
}

/** Loaded by nodes of a cluster only. */
async function routingOf(
  app: FastifyInstance,
  service: Service,
  sockets: AddressSockets,
): Promise<Routing | undefined> {
  if (!service.cluster) return undefined;
  const { Routing } = await import('./routing/routing.js');
  const routing = new Routing(service, service.cluster, sockets);
  routing.serve(app);
  service.routing = routing;
  return routing;
}

/** JSON as Fastify takes it, with every key of an object only once, and without −0. */
function takeStrictJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    // Until the handler is called.
    begins(request);
    const encoding = foreignEncoding(request.headers);
    if (encoding !== undefined) {
      done(new SouthbridgeError('unsupported-encoding', { encoding }));
      return;
    }
    parse(request, body as string, (error, value) => {
      try {
        const key = error ? undefined : duplicateKey(body as string);
        if (key !== undefined) throw new SouthbridgeError('duplicate-key', { key: key.slice(0, 80) });
        if (!error && (body as string).includes('-0')) dropNegativeZeros(value);
        done(error, value);
      } catch (refusal) {
        done(refusal as Error);
      }
    });
  });
}

/** How the body is encoded, if that is not UTF-8 without compression. RFC 8259, 8.1. */
function foreignEncoding({
  'content-encoding': coding = 'identity',
  'content-type': type = '',
}: FastifyRequest['headers']): string | undefined {
  if (coding.toLowerCase() !== 'identity') return coding.slice(0, 80);
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(type)?.[1];
  return charset === undefined || /^utf-?8$/i.test(charset) ? undefined : charset.slice(0, 80);
}

function sendError(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  const refusal = codedError(error, request);
  if (refusal.code === 'internal') request.log.error({ err: error, request: request.id }, 'a request failed');
  if (refusal.code === 'method-not-allowed') reply.header('allow', String(refusal.details.allowed));
  const wanted = challenge(refusal);
  if (wanted !== undefined) reply.header('www-authenticate', wanted);
  const { retryAfter } = refusal.details;
  if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter));
  const isElsewhere = refusal.code === 'machine-moved' || refusal.code === 'forwarding-stale';
  if (isElsewhere && request.headers[FORWARDED] !== undefined) reply.header(NOT_EXECUTED, 'true');
  reply.code(refusal.status).type('application/json').send(refusal.toJSON());
}

function guardRequests(
  app: FastifyInstance,
  service: Service,
  admission: Admission,
  sockets: AddressSockets,
  time: GatewayTime,
  routing: Routing | undefined,
): void {
  const guard = new Guard(service.configuration);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    const origin = originHeaders(request.raw, service.configuration);
    reply.headers(origin);
    request.forwarded = routing?.verify(request) ?? null;
    // The node that forwarded a request has checked that.
    if (!request.forwarded) guard.check(request.raw as IncomingMessage);
    if ('access-control-allow-origin' in origin && isPreflight(request.raw)) {
      return reply.headers(PREFLIGHT_HEADERS).code(204).send();
    }
    if (service.draining) {
      reply.header('connection', 'close');
      if (request.url !== '/healthz' && request.url !== '/readyz') throw new SouthbridgeError('shutting-down');
    }
    refuseTokenInUrl(request.url);
    const token = tokenFor(request, admission);
    requireLease(service, request);
    if (token || request.forwarded) sockets.admitted(request.raw.socket);
    if (token) {
      request.token = token;
      if (!request.ws && request.routeOptions.url !== '/metrics') time.require(token.name);
    }
    if (await routing?.route(request, reply)) return reply;
  });
  app.addHook('preValidation', async (request) => {
    // A request without a body is one with an empty object: schemas say whether that is enough.
    if (request.method !== 'GET') if (request.body === undefined) request.body = {};
    const { url, config } = request.routeOptions;
    const isSocketRoute = (config as { socket?: boolean }).socket === true;
    if (request.ws && url !== undefined && !isSocketRoute) throw new SouthbridgeError('not-a-socket', { path: url });
    if (!request.ws && isSocketRoute) {
      // Clients whose upgrade fails ask why.
      service.requireRoom(addressOf(request));
      throw new SouthbridgeError('upgrade-required', { path: request.url.split('?', 1)[0] });
    }
  });
  if (service.store?.maySend) refuseWithoutLease(app, service);
  logResponses(app, admission);
}

function logResponses(app: FastifyInstance, admission: Admission): void {
  app.addHook('onResponse', async (request, reply) => {
    const { method } = request;
    // What stands behind the path may be a secret that someone put there by mistake.
    const path = request.url.split('?', 1)[0];
    const token = request.token?.name ?? admission.nameOf(request.raw.socket) ?? null;
    const status = reply.statusCode;
    if (!request.isRouted && isChange(request, reply)) {
      const { machine = (request.body as { name?: string } | undefined)?.name } = request.params as {
        machine?: string;
      };
      request.log.info({ audit: true, token, machine, method, path, status }, 'changed');
    }
    request.log.debug({ method, path, token, status, ms: reply.elapsedTime }, 'request');
  });
}

/** The token of the client, which this node or the one that forwarded the request has verified. Throws as `Admission.check`. */
function tokenFor(request: FastifyRequest, admission: Admission): ShownToken | undefined {
  const { machine } = (request.params ?? {}) as { readonly machine?: string };
  return request.forwarded
    ? admission.checkForwarded(request.forwarded, accessOf(request), machine)
    : admission.check(request.raw, accessOf(request), machine);
}

/** Throws `lease-lost` if other nodes of the cluster may own the machines. */
function requireLease({ store }: Service, { url }: FastifyRequest): void {
  if (store?.maySend?.() === false && url.startsWith('/v1/')) throw new SouthbridgeError('lease-lost');
}

/** A lease may run out while a request is executed: then its response is not sent. */
function refuseWithoutLease(app: FastifyInstance, service: Service): void {
  app.addHook('onSend', async (request, reply, payload) => {
    try {
      requireLease(service, request);
      return payload;
    } catch (error) {
      const refusal = error as SouthbridgeError;
      reply.code(refusal.status).type('application/json').removeHeader('content-length');
      return JSON.stringify(refusal);
    }
  });
}

/** Accesses, lines, inputs and steps, which guests send all the time; and explorations, which change no machine. */
const GUEST_WORK = /^\/v1\/(?:machines\/:machine\/(?:mmio|lines|inputs|clock)|lab)\b/;

/** Whether a request changed machines or what the server does: the audit log has a line for each. */
function isChange({ method, routeOptions: { url = '' } }: FastifyRequest, { statusCode }: FastifyReply): boolean {
  return method !== 'GET' && method !== 'HEAD' && statusCode < 400 && url.startsWith('/v1/') && !GUEST_WORK.test(url);
}

/** What is no route has nothing to protect. */
function accessOf({ is404, routeOptions: { config } }: FastifyRequest): RequiredRole {
  return is404 ? 'public' : (config.access ?? 'admin');
}
