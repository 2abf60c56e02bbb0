import { SouthbridgeError } from '../src/errors.js';
import type { Service } from '../src/service/service.js';
import { type App, Nothing } from './app.js';
import { clockRoutes } from './clock.js';
import { docsRoutes, registerOpenApi } from './docs.js';
import { healthRoutes } from './health.js';
import { irqRoutes } from './irqs.js';
import { lineRoutes } from './lines.js';
import { lockRoutes } from './locks.js';
import { logRoutes } from './log.js';
import { machineRoutes } from './machines.js';
import { metricsRoutes } from './metrics.js';
import { mmioRoutes } from './mmio.js';
import { snapshotRoutes } from './snapshots.js';
import { vcpuRoutes } from './vcpus.js';
import { viewRoutes } from './views.js';

export type { App } from './app.js';

const ROUTES = [
  machineRoutes,
  mmioRoutes,
  viewRoutes,
  lineRoutes,
  clockRoutes,
  snapshotRoutes,
  lockRoutes,
  vcpuRoutes,
  irqRoutes,
  logRoutes,
  healthRoutes,
  metricsRoutes,
];

/** Registers every route, in this order. */
export async function registerRoutes(app: App, service: Service): Promise<void> {
  const known: { readonly methods: readonly string[]; readonly path: RegExp }[] = [];
  app.addHook('onRoute', (route) => {
    const { url, method } = route;
    known.push({ methods: [method].flat(), path: new RegExp(`^${url.replace(/:\w+|\*/g, '[^/]+')}$`) });
    // Keys in a URL that nobody reads are refused, as they are in a body.
    if (url.startsWith('/v1/')) route.schema = { querystring: Nothing, ...route.schema };
  });
  await registerOpenApi(app);
  for (const routes of ROUTES) await routes(app, service);
  await docsRoutes(app);

  app.setNotFoundHandler(({ method, url }) => {
    const path = url.split('?')[0];
    const allowed = known.filter((route) => route.path.test(path)).flatMap(({ methods }) => methods);
    if (allowed.length > 0)
      throw new SouthbridgeError('method-not-allowed', { method, path, allowed: allowed.join(', ') });
    throw new SouthbridgeError('unknown-route', { method, path });
  });
}
