import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import type { App, Routes } from './app.js';
import { registerPart } from './part.js';

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
  {
    prefix: '/page/modules/',
    folder: new URL('dist/src/', root),
    files: /^\/(?:(?:client|errors|protocol)\/.*|errors|schema\/type)\.js$/,
  },
  // Wherever npm has put it.
  {
    prefix: '/page/uplot/',
    folder: new URL('.', import.meta.resolve('uplot/dist/uPlot.esm.js')),
    files: /^\/uPlot\.(?:esm\.js|min\.css)$/,
  },
];

/** The live page, docs/page.md. What it shows it asks the API for, which decides who may see it. */
export const pageRoutes: Routes = (app: App) => registerPart(app, ['/', '/page/*'], buildPages);

async function buildPages(): Promise<FastifyInstance> {
  const [{ default: Fastify }, { default: fastifyStatic }] = await Promise.all([
    import('fastify'),
    import('@fastify/static'),
  ]);
  const pages: FastifyInstance = Fastify();
  for (const [index, { prefix, folder, files }] of FOLDERS.entries()) {
    await pages.register(fastifyStatic, {
      root: fileURLToPath(folder),
      prefix,
      index: false,
      decorateReply: index === 0,
      allowedPath: (path) => files.test(path),
      cacheControl: false,
      // Kept by browsers, and asked for again each time: another version of the server has others.
      setHeaders: (reply) => reply.header('cache-control', 'no-cache'),
    });
  }
  pages.get('/', (_request, reply) => reply.sendFile('index.html'));
  return pages;
}
