import { CLOSED } from '../src/protocol/json/schemas.js';
import { Type } from '../src/schema/type.js';
import { EventLoopLag } from '../src/server/metrics/event-loop-lag.js';
import { FORMATS, formatFor } from '../src/server/metrics/exposition.js';
import { HISTOGRAMS_BY } from '../src/server/metrics/figures.js';
import type { Metrics } from '../src/server/metrics/registry.js';
import { isGoodFor, type ShownToken } from '../src/server/security/token-file.js';
import { type App, type Routes, readable } from './app.js';

/** Loading prom-client and the families is a tenth of a start: it has time until the server is long ready. */
const LOAD_MS = 1000;

/** A token that is limited to machines sees no samples of others, nor those that several machines share. */
function isShown(line: string, token: ShownToken): boolean {
  const machine = /[{,]machine="([^"]*)"/.exec(line)?.[1];
  return machine === undefined || isGoodFor(token, machine);
}
const histograms = Type.Optional(
  Type.Enum([...HISTOGRAMS_BY], {
    default: 'design',
    description: 'Whether histograms are per locking design, or per machine as well, which takes many more series.',
  }),
);

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
  // A failure is the answer to the next scrape.
  const timer = setTimeout(() => load().catch(() => {}), LOAD_MS).unref();
  app.addHook('onClose', () => {
    clearTimeout(timer);
    eventLoop.close();
  });
  app.route({
    ...readable('/metrics'),
    config: { access: 'observe' },
    schema: {
      tags: ['metrics'],
      summary: 'Metrics for Prometheus',
      description: 'As OpenMetrics 1.0 if `Accept` prefers it, else in the text format of Prometheus.',
      querystring: Type.Object({ histograms }, CLOSED),
    },
    handler: async ({ headers, query, token }, reply) => {
      const format = formatFor(headers.accept ?? '');
      const loaded = await load();
      reply.header('content-type', FORMATS[format]);
      reply.header('vary', 'accept');
      const text = await loaded.scrape(format, query.histograms);
      if (!token?.machines) return text;
      return text
        .split('\n')
        .filter((line) => isShown(line, token))
        .join('\n');
    },
  });
};
