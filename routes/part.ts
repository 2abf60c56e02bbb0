import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { App } from './app.js';

/** Headers of an answer that describe the connection, which is not the part's, or ranges, which are not served. */
const LEFT_OUT = ['accept-ranges', 'connection', 'date', 'keep-alive', 'transfer-encoding'];

/** How a page is called. With every other spelling of its path there would be one more of it to keep. */
const PLAIN_PATH = /^(?:\/[\w-][\w.-]*)*\/?$/;

type Answer = Pick<Awaited<ReturnType<FastifyInstance['inject']>>, 'statusCode' | 'headers' | 'rawPayload'>;

const NOT_FOUND: Answer = { statusCode: 404, headers: {}, rawPayload: Buffer.alloc(0) };

/**
 * Pages for browsers, which anybody may see: their content is in the source of the server, and a browser that opens one
 * shows no token. An app of their own answers, which `build` makes for the first request to one of the paths: what serves
 * files and describes the API is a sixth of the time that a start takes, and most servers are never asked for it. Each
 * page is made once and kept, so that however many ask for it, and read it or not, there is one of it.
 */
export function registerPart(app: App, paths: readonly string[], build: () => Promise<FastifyInstance>): void {
  const part = new Part(build);
  app.addHook('onClose', () => part.close());
  for (const url of paths) {
    app.route({
      method: ['GET', 'HEAD'],
      url,
      config: { access: 'public' },
      schema: { hide: true },
      handler: async (request, reply) => send(await part.answer(request.url.split('?', 1)[0]), request, reply),
    });
  }
}

class Part {
  readonly #build: () => Promise<FastifyInstance>;
  #app: Promise<FastifyInstance> | undefined;
  /** Pages that there are, by path. */
  readonly #answers = new Map<string, Promise<Answer>>();

  constructor(build: () => Promise<FastifyInstance>) {
    this.#build = build;
  }

  async answer(path: string): Promise<Answer> {
    if (!PLAIN_PATH.test(path)) return NOT_FOUND;
    const kept = this.#answers.get(path);
    if (kept) return kept;
    const asked = this.#ask(path);
    this.#answers.set(path, asked);
    const isPage = await asked.then(({ statusCode }) => statusCode === 200).catch(() => false);
    if (!isPage) this.#answers.delete(path);
    return asked;
  }

  async #ask(path: string): Promise<Answer> {
    // A failure must not be cached.
    this.#app ??= this.#build().catch((error) => {
      this.#app = undefined;
      throw error;
    });
    const { statusCode, headers, rawPayload } = await (await this.#app).inject({ method: 'GET', url: path });
    for (const name of LEFT_OUT) delete headers[name];
    return { statusCode, headers, rawPayload };
  }

  /** Never fails: a server that ends has more to do. */
  async close(): Promise<void> {
    await this.#app?.then((app) => app.close()).catch(() => {});
  }
}

function send({ statusCode, headers, rawPayload }: Answer, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (statusCode >= 500) throw new Error(`${request.url}: ${rawPayload}`);
  if (statusCode >= 400) {
    reply.callNotFound();
    return reply;
  }
  reply.headers(headers);
  // RFC 9110, 13.1.2.
  const known = request.headers['if-none-match']?.split(',').map((tag) => tag.trim()) ?? [];
  if (headers.etag !== undefined && known.some((tag) => tag === '*' || tag === headers.etag)) {
    return reply.removeHeader('content-length').removeHeader('content-type').code(304).send();
  }
  return reply.code(statusCode).send(request.method === 'HEAD' ? undefined : rawPayload);
}
