import { EventLoopLag } from '../src/metrics/event-loop-lag.js';
import type { Metrics } from '../src/metrics/registry.js';
import type { App, Routes } from './app.js';

export const metricsRoutes: Routes = (app: App, service) => {
  const eventLoop = new EventLoopLag();
  app.addHook('onClose', () => eventLoop.close());
  let metrics: Promise<Metrics> | undefined;
  // prom-client and the families are a tenth of a start. What a counter has before its first scrape no rate tells of.
  const load = async () => new (await import('../src/metrics/registry.js')).Metrics(service, eventLoop);
  app.get(
    '/metrics',
    { config: { access: 'observe' }, schema: { tags: ['metrics'], summary: 'Metrics for Prometheus' } },
    async (_request, reply) => {
      metrics ??= load();
      const loaded = await metrics;
      reply.header('content-type', loaded.contentType);
      return loaded.scrape();
    },
  );
};
