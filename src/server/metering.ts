import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { GatewayTime } from './security/gateway-time.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Since when the gateway has been computing for this request, in ms; undefined while it waits. */
    computingSince?: number | undefined;
  }
}

/** The gateway begins to compute for a request. */
export function begins(request: FastifyRequest): void {
  request.computingSince = performance.now();
}

/**
 * Charges each request's token with the time in which the gateway computes for it: checking its body, what its handler does
 * before it first waits, and writing the answer.
 */
export function meterRequests(app: FastifyInstance, time: GatewayTime): (request: FastifyRequest) => void {
  const ends = (request: FastifyRequest) => {
    const { token, computingSince } = request;
    if (computingSince !== undefined && token) time.charge(token.name, performance.now() - computingSince);
    request.computingSince = undefined;
  };
  app.addHook('onRoute', (route) => {
    if (route.websocket || route.config?.socket) return;
    const { handler } = route;
    route.handler = function (request, reply) {
      begins(request);
      try {
        return handler.call(this, request, reply);
      } finally {
        ends(request);
      }
    };
  });
  app.addHook('preHandler', (request, _reply, done) => {
    ends(request);
    done();
  });
  app.addHook('preSerialization', (request, _reply, payload, done) => {
    begins(request);
    done(null, payload);
  });
  app.addHook('onSend', (request, _reply, payload, done) => {
    ends(request);
    done(null, payload);
  });
  return ends;
}
