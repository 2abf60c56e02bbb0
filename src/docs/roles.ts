import { pino } from 'pino';
import type { RouteInfo } from '../../routes/index.js';
import { loadConfiguration } from '../config/sources.js';
import { buildApp } from '../server/app.js';
import { Admission } from '../server/security/admission.js';
import { Service } from '../server/service/service.js';
import { code, table } from './markdown.js';

const BEGIN = '<!-- routes, written by npm run docs:generate -->\n';
const END = '<!-- end of routes -->\n';

/** Every route that a server has, from the server itself; no thread is started. */
export async function allRoutes(): Promise<RouteInfo[]> {
  const routes: RouteInfo[] = [];
  const { configuration } = loadConfiguration({});
  const app = await buildApp({
    service: new Service(configuration, () => {}),
    admission: new Admission(''),
    logger: pino({ level: 'silent' }),
    onRoute: (route) => routes.push(route),
  });
  await app.close();
  return routes;
}

/** The text of `docs/security.md` with the table of routes as it is now. */
export async function withRoles(text: string): Promise<string> {
  const rows = (await allRoutes())
    .filter(({ method }) => method !== 'HEAD')
    .map(({ method, url, access, websocket }) => [code(`${websocket ? 'WebSocket' : method} ${url}`), access]);
  const [before, rest] = text.split(BEGIN);
  const [, after] = rest.split(END);
  return `${before}${BEGIN}\n${table(['route', 'for'], rows)}\n\n${END}${after}`;
}
