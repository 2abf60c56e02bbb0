import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import { type App, giveAccess, type Routes } from './app.js';

const root = new URL('../../', import.meta.url);

interface Folder {
  readonly prefix: string;
  readonly folder: URL;
  /** Which of its files are served. */
  readonly files: RegExp;
}

const FOLDERS: readonly Folder[] = [
  { prefix: '/page/', folder: new URL('web/', root), files: /\.(?:css|html|js|svg)$/ },
  // The client, and what it imports.
  { prefix: '/page/modules/', folder: new URL('dist/src/', root), files: /^\/(?:(?:client|wire)\/.*|errors)\.js$/ },
  // Wherever npm has put it.
  {
    prefix: '/page/uplot/',
    folder: new URL('.', import.meta.resolve('uplot/dist/uPlot.esm.js')),
    files: /^\/uPlot\.(?:esm\.js|min\.css)$/,
  },
];

/** The live page, docs/page.md. What it shows it asks the API for, which decides who may see it. */
export const pageRoutes: Routes = async (app: App) => {
  await app.register(async (scope) => {
    // A browser that opens a page shows no token; and what it gets is in the source of the server.
    giveAccess(scope, 'public');
    for (const [index, { prefix, folder, files }] of FOLDERS.entries()) {
      await scope.register(fastifyStatic, {
        root: fileURLToPath(folder),
        prefix,
        index: false,
        decorateReply: index === 0,
        schemaHide: true,
        allowedPath: (path) => files.test(path),
        cacheControl: false,
        // Kept by browsers, and asked for again each time: another version of the server has others.
        setHeaders: (reply) => reply.header('cache-control', 'no-cache'),
      });
    }
    scope.get('/', { schema: { hide: true } }, (_request, reply) => reply.sendFile('index.html'));
  });
};
