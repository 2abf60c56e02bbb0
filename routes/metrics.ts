import { Metrics } from '../src/metrics/registry.js';
import type { App, Routes } from './app.js';

export const metricsRoutes: Routes = (app: App, service) => {
  const metrics = new Metrics(service);
  app.addHook('onClose', () => metrics.close());
  app.get(
    '/metrics',
    { config: { access: 'observe' }, schema: { tags: ['metrics'], summary: 'Metrics for Prometheus' } },
    async (_request, reply) => {
      reply.header('content-type', metrics.contentType);
      return metrics.scrape();
    },
  );
};
