import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance, RouteOptions } from 'fastify';
import type { App } from './app.js';
import { registerPart } from './part.js';

/** Everything from this server, so that the page works offline; swagger-ui styles its elements in place. */
const CSP = [
  "default-src 'self'",
  "img-src 'self' data:",
  "style-src 'self' 'unsafe-inline'",
  "object-src 'none'",
  "base-uri 'self'",
  "frame-ancestors 'none'",
].join('; ');

const root = new URL('../../', import.meta.url);

/** `registered`: the routes that are described, all of them by the time of the first request. */
export function docsRoutes(app: App, registered: readonly RouteOptions[]): void {
  registerPart(app, ['/docs', '/docs/*'], () => buildDocs(registered));
}

/** The documents, rendered, and as files with what belongs to them. */
async function serveDocuments(docs: FastifyInstance): Promise<void> {
  const [{ DocumentPages }, { ATTACHMENT }, { default: fastifyStatic }] = await Promise.all([
    import('../src/server/documents/document-pages.js'),
    import('../src/server/documents/documents.js'),
    import('@fastify/static'),
  ]);
  const pages = await DocumentPages.read();
  const html = 'text/html; charset=utf-8';
  docs.get('/docs', (_request, reply) => reply.type(html).send(pages.index));
  docs.get('/docs/search.json', (_request, reply) =>
    reply.type('application/json; charset=utf-8').send(pages.sections),
  );
  for (const { path } of pages.documents) docs.get(path, (_request, reply) => reply.type(html).send(pages.page(path)));
  await docs.register(fastifyStatic, {
    root: fileURLToPath(new URL('docs/', root)),
    prefix: '/docs/',
    index: false,
    decorateReply: false,
    allowedPath: (path) => ATTACHMENT.test(`/docs${path}`),
    cacheControl: false,
    setHeaders: (reply) => reply.header('cache-control', 'no-cache'),
  });
}

/** An app with the same routes, which answer nothing there, and with what swagger makes of their schemas. */
async function buildDocs(registered: readonly RouteOptions[]): Promise<FastifyInstance> {
  const [{ default: Fastify }, { default: swagger }, { default: swaggerUi }] = await Promise.all([
    import('fastify'),
    import('@fastify/swagger'),
    import('@fastify/swagger-ui'),
  ]);
  const { version } = JSON.parse(await readFile(new URL('package.json', root), 'utf8'));
  const docs: FastifyInstance = Fastify();
  docs.setValidatorCompiler(() => () => true);
  docs.setSerializerCompiler(() => JSON.stringify);
  await docs.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Southbridge',
        version,
        description:
          'HPET and IOAPIC of virtual machines for remote vCPUs. vCPUs and subscribers use WebSockets: [the protocol](/docs/protocol).',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      externalDocs: { url: '/docs/protocol', description: 'WebSockets of vCPUs and subscribers' },
    },
  });
  for (const { method, url, schema } of registered) {
    if (schema?.hide === true) continue;
    const described = [method].flat().filter((each) => each !== 'HEAD');
    docs.route({ method: described, url, schema, handler: (_request, reply) => reply.callNotFound() });
  }
  await docs.register(swaggerUi, {
    routePrefix: '/docs/api',
    staticCSP: CSP,
    uiConfig: { validatorUrl: null } as object,
  });
  docs.get('/docs/json', { schema: { hide: true } }, () => docs.swagger());
  docs.get('/docs/yaml', { schema: { hide: true } }, (_request, reply) =>
    reply.type('application/x-yaml').send(docs.swagger({ yaml: true })),
  );
  await serveDocuments(docs);
  return docs;
}
