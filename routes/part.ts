import type { FastifyInstance } from 'fastify';
import type { App } from './app.js';

/** Headers of a request that make a difference to a file. */
const CONDITIONS = ['host', 'if-none-match', 'if-modified-since'];
/** Headers of an answer that tell of the connection, which is not the part's, or of ranges, which are not asked for. */
const LEFT_OUT = ['accept-ranges', 'connection', 'date', 'keep-alive', 'transfer-encoding'];

/**
 * Pages for browsers, which anybody may see: what they tell is in the source of the server, and a browser that opens one
 * shows no token. An app of their own answers, which `build` makes for the first request to one of the paths: what serves
 * files and describes the API is a sixth of the time that a start takes, and most servers are never asked for it.
 */
export function registerPart(app: App, paths: readonly string[], build: () => Promise<FastifyInstance>): void {
  let part: Promise<FastifyInstance> | undefined;
  app.addHook('onClose', async () => (await part)?.close());
  for (const url of paths) {
    app.route({
      method: ['GET', 'HEAD'],
      url,
      config: { access: 'public' },
      schema: { hide: true },
      handler: async (request, reply) => {
        part ??= build();
        const answer = await (await part).inject({
          method: request.method as 'GET' | 'HEAD',
          url: request.url,
          headers: Object.fromEntries(Object.entries(request.headers).filter(([name]) => CONDITIONS.includes(name))),
        });
        const { statusCode, headers, rawPayload } = answer;
        if (statusCode >= 500) throw new Error(`${request.url}: ${answer.payload}`);
        if (statusCode >= 400) return reply.callNotFound();
        for (const name of LEFT_OUT) delete headers[name];
        return reply
          .code(statusCode)
          .headers(headers)
          .send(rawPayload.length > 0 ? rawPayload : undefined);
      },
    });
  }
}
