import { EventLoopLag } from '../src/server/metrics/event-loop-lag.js';
import type { Metrics } from '../src/server/metrics/registry.js';
import { isGoodFor, type TokenEntry } from '../src/server/security/token-file.js';
import type { App, Routes } from './app.js';

/** Loading prom-client and the families is a tenth of a start: it has time until the server is long ready. */
const LOAD_MS = 1000;

/** A token that is limited to machines sees no samples of others, nor those that several machines share. */
function isShown(line: string, token: TokenEntry): boolean {
  const machine = /[{,]machine="([^"]*)"/.exec(line)?.[1];
  return machine === undefined || isGoodFor(token, machine);
}

export const metricsRoutes: Routes = (app: App, service) => {
  const eventLoop = new EventLoopLag();
  let metrics: Promise<Metrics> | undefined;
  const make = async () => new (await import('../src/server/metrics/registry.js')).Metrics(service, eventLoop);
  const load = () => {
    metrics ??= make().catch((error) => {
      metrics = undefined;
      throw error;
    });
    return metrics;
  };
  // Whoever scrapes is told if it fails.
  const timer = setTimeout(() => load().catch(() => {}), LOAD_MS).unref();
  app.addHook('onClose', () => {
    clearTimeout(timer);
    eventLoop.close();
  });
  app.get(
    '/metrics',
    { config: { access: 'observe' }, schema: { tags: ['metrics'], summary: 'Metrics for Prometheus' } },
    async ({ token }, reply) => {
      const loaded = await load();
      reply.header('content-type', loaded.contentType);
      const text = await loaded.scrape();
      return token?.machines
        ? text
            .split('\n')
            .filter((line) => isShown(line, token))
            .join('\n')
        : text;
    },
  );
};
