import { readFileSync } from 'node:fs';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { type App, giveAccess } from './app.js';

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

/** Comes before the routes that it describes. */
export async function registerOpenApi(app: App): Promise<void> {
  const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
  await app.register(swagger, {
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
}

export async function docsRoutes(app: App): Promise<void> {
  const protocol = readFileSync(new URL('docs/protocol.md', root), 'utf8');
  await app.register(async (scope) => {
    // A browser that opens a page shows no token; and what the page tells is in the source of the server.
    giveAccess(scope, 'public');
    await scope.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: CSP,
      uiConfig: { validatorUrl: null } as object,
    });
  });
  app.get(
    '/docs/protocol',
    { config: { access: 'public' }, schema: { tags: ['docs'], summary: 'The protocol of the WebSockets' } },
    (_request, reply) => {
      reply.type('text/markdown; charset=utf-8');
      return protocol;
    },
  );
}
