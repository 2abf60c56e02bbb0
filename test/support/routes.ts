import { pino } from 'pino';
import type { RouteInfo } from '../../routes/index.js';
import { buildApp } from '../../src/app.js';
import { Admission } from '../../src/security/admission.js';
import { Service } from '../../src/service/service.js';
import { configuration } from './server.js';

const PARAMETERS: { readonly [name: string]: string } = {
  machine: 'default',
  address: '0xfed00010',
  gsi: '4',
  input: 'pit',
  vcpu: '0',
};

/** Every route that the application has, from the application itself. */
export async function allRoutes(): Promise<RouteInfo[]> {
  const routes: RouteInfo[] = [];
  const service = new Service(configuration(), () => {});
  const app = await buildApp({
    service,
    admission: new Admission(''),
    logger: pino({ level: 'silent' }),
    onRoute: (route) => routes.push(route),
  });
  await app.close();
  return routes;
}

/** A path that leads to a route, on a server with the machine `default`. */
export function pathOf(url: string): string {
  return url.replaceAll('*', 'index.html').replace(/:(\w+)/g, (_, name: string) => {
    if (!(name in PARAMETERS)) throw new Error(`${url}: tests know no value for ${name}; give it one here`);
    return PARAMETERS[name];
  });
}
