import type { RouteOptions } from 'fastify';
import { SouthbridgeError } from '../src/errors.js';
import type { RequiredRole } from '../src/server/security/roles.js';
import type { Service } from '../src/server/service/service.js';
import { type App, Nothing } from './app.js';
import { clockRoutes } from './clock.js';
import { clusterRoutes } from './cluster.js';
import { docsRoutes } from './docs.js';
import { healthRoutes } from './health.js';
import { irqRoutes } from './irqs.js';
import { labRoutes } from './lab.js';
import { lineRoutes } from './lines.js';
import { lockRoutes } from './locks.js';
import { logRoutes } from './log.js';
import { machineRoutes } from './machines.js';
import { metricsRoutes } from './metrics.js';
import { mmioRoutes } from './mmio.js';
import { pageRoutes } from './page.js';
import { snapshotRoutes } from './snapshots.js';
import { traceRoutes } from './trace.js';
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
  traceRoutes,
  labRoutes,
  vcpuRoutes,
  irqRoutes,
  logRoutes,
  clusterRoutes,
  healthRoutes,
  metricsRoutes,
  pageRoutes,
];

/** A route, as it was registered. */
export interface RouteInfo {
  readonly method: string;
  readonly url: string;
  readonly websocket: boolean;
  readonly access: RequiredRole;
}

/** Registers every route, in this order, and returns them. Throws if one of them does not say who may use it. */
export async function registerRoutes(app: App, service: Service): Promise<RouteInfo[]> {
  const registered: RouteOptions[] = [];
  const known: { readonly methods: readonly string[]; readonly path: RegExp }[] = [];
  app.addHook('onRoute', (route) => {
    const { url, method } = route;
    registered.push(route);
    known.push({ methods: [method].flat(), path: new RegExp(`^${url.replace('*', '.*').replace(/:\w+/g, '[^/]+')}$`) });
    // Keys in a URL that nobody reads are refused, as they are in a body.
    if (url.startsWith('/v1/')) route.schema = { querystring: Nothing, ...route.schema };
  });
  for (const routes of ROUTES) await routes(app, service);
  docsRoutes(app, registered);

  app.setNotFoundHandler(({ method, url }) => {
    const path = url.split('?')[0];
    const allowed = new Set(known.filter((route) => route.path.test(path)).flatMap(({ methods }) => methods));
    if (allowed.size > 0 && !allowed.has(method))
      throw new SouthbridgeError('method-not-allowed', { method, path, allowed: [...allowed].join(', ') });
    throw new SouthbridgeError('unknown-route', { method, path });
  });
  return registered.flatMap(infoOf);
}

/** One for each method. Looks only now at what hooks of plugins may have added. */
function infoOf({ method, url, websocket = false, config }: RouteOptions): RouteInfo[] {
  const methods = [method].flat();
  const access = config?.access;
  if (access === undefined) throw new Error(`${methods} ${url} does not say who may use it: give it config.access`);
  return methods.map((each) => ({ method: each, url, websocket, access }));
}
