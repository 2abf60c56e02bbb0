import { request } from 'node:http';
import t from 'tap';
import type { RouteInfo } from '../../../routes/index.js';
import { ERRORS, type ErrorCode } from '../../../src/errors.js';
import { type RequiredRole, ROLES } from '../../../src/server/security/roles.js';
import { allRoutes, pathOf } from '../../support/routes.js';
import { TestServer } from '../../support/server.js';
import { roleTokens } from '../../support/token-file.js';

const WRONG_BODY = '{"misspelt":1}';

interface Answer {
  readonly status: number;
  readonly code: string | undefined;
  readonly challenge: string | undefined;
}

/** What a route answers first; then the connection is cut. Sockets are asked for as such, and changes with a wrong body. */
function ask(server: string, route: RouteInfo, headers: Record<string, string>, query = ''): Promise<Answer> {
  const path = pathOf(route.url) + query;
  const upgrade = {
    connection: 'upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': Buffer.alloc(16).toString('base64'),
  };
  const body = { 'content-type': 'application/json', 'content-length': `${WRONG_BODY.length}` };
  return new Promise((resolve, reject) => {
    const own = route.websocket ? upgrade : route.method === 'GET' || route.method === 'HEAD' ? {} : body;
    const sent = request(server + path, { method: route.method, headers: { ...own, ...headers }, agent: false });
    sent.on('error', reject);
    sent.on('upgrade', (_response, socket) => {
      socket.destroy();
      resolve({ status: 101, code: undefined, challenge: undefined });
    });
    sent.on('response', (response) => {
      let text = '';
      const done = () => {
        const isCoded = response.headers['content-type']?.startsWith('application/json') && text.startsWith('{"error"');
        const code = isCoded ? JSON.parse(text).error.code : undefined;
        resolve({ status: response.statusCode ?? 0, code, challenge: response.headers['www-authenticate'] });
        response.destroy();
      };
      response.on('data', (chunk) => {
        text += chunk;
        if (response.headers['content-type']?.startsWith('text/event-stream')) done();
      });
      response.on('end', done);
    });
    sent.end(own === body ? WRONG_BODY : undefined);
  });
}

/** Roles that are too low. */
function tooLow(access: RequiredRole) {
  return access === 'public' ? [] : ROLES.slice(0, ROLES.indexOf(access));
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const subprotocol = (token: string) => ({
  'sec-websocket-protocol': `southbridge.v1.json, southbridge.bearer.${token}`,
});

t.test('every route and socket refuses who may not use it, and nobody else', async (t) => {
  const { file, tokens } = roleTokens(t);
  const server = await TestServer.start({ tokenFile: file });
  t.teardown(server.stop);
  const routes = await allRoutes();
  t.ok(routes.length > 25, `${routes.length} routes`);
  t.ok(routes.filter(({ websocket }) => websocket).length >= 2, 'with sockets');

  for (const route of routes) {
    const name = `${route.method} ${route.url} (${route.access})`;
    const refused = async (headers: Record<string, string>, code: ErrorCode, query?: string) => {
      const answer = await ask(server.url, route, headers, query);
      t.equal(answer.status, ERRORS[code].status, `${name}: ${code}`);
      if (route.method !== 'HEAD') t.equal(answer.code, code, name);
      if (/^(token-(missing|unknown)|role-too-low)$/.test(code)) t.match(answer.challenge, /^Bearer realm=/, name);
    };
    const shown = route.websocket ? [bearer, subprotocol] : [bearer];
    const foreign = { origin: 'https://example.org' };
    await refused({ ...foreign, ...bearer(tokens.admin) }, 'foreign-origin');
    await refused({ ...bearer(tokens.admin), host: 'example.org' }, 'foreign-host');
    await refused(bearer(tokens.admin), 'token-in-url', `?token=${tokens.admin}`);
    await refused(bearer(tokens.admin), 'token-in-url', `?x=${tokens.observe}`);
    if (route.access !== 'public') {
      await refused({}, 'token-missing');
      await refused({ authorization: `Basic ${tokens.admin}` }, 'token-missing');
      for (const show of shown) await refused(show(`${tokens.admin.slice(0, -1)}~`), 'token-unknown');
      for (const role of tooLow(route.access)) {
        for (const show of shown) await refused(show(tokens[role]), 'role-too-low');
      }
    } else t.notMatch((await ask(server.url, route, {})).status, /40[13]/, `${name} is for everybody`);
    for (const role of ROLES.filter((role) => !tooLow(route.access).includes(role))) {
      for (const show of shown) {
        const { status } = await ask(server.url, route, show(tokens[role]));
        // Not 401 or 403; and a socket opens, unless the vCPU is still taken by the one before.
        t.notMatch(status, /40[13]/, `${name} with ${role}`);
        if (route.websocket) t.match(status, /101|409/, `${name} opens with ${role}`);
      }
    }
  }
  const { machines } = (await server.request('GET', '/v1/machines', undefined, bearer(tokens.observe))).body;
  t.match(machines, [{ name: 'default', state: 'running' }], 'nothing was done');
});

t.test('without a token file everybody on this computer may do everything', async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  for (const route of await allRoutes()) {
    const { status } = await ask(server.url, route, {});
    t.notMatch(status, /40[13]/, `${route.method} ${route.url}`);
  }
});
