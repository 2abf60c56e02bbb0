import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { allRoutes, pathOf } from '../../support/routes.js';
import { TestServer } from '../../support/server.js';

t.test('every answer forbids what a page could be made to do', async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  const ask = async (method: string, path: string) => {
    const aborted = new AbortController();
    const { headers } = await fetch(server.url + path, { method, signal: aborted.signal, redirect: 'manual' });
    aborted.abort();
    return headers;
  };
  const cases: [string, string][] = (await allRoutes()).map(({ method, url }) => [method, pathOf(url)]);
  for (const [method, path] of [...cases, ['GET', '/none'], ['POST', '/healthz'], ['GET', '/%zz']] as const) {
    const headers = await ask(method, path);
    const policy = new Map(
      (headers.get('content-security-policy') ?? '').split(';').map((part) => {
        const [name, ...values] = part.trim().split(' ');
        return [name, values.join(' ')];
      }),
    );
    const name = `${method} ${path}`;
    t.equal(policy.get('frame-ancestors'), "'none'", name);
    const isPage = path.startsWith('/docs/api');
    t.equal(policy.get('default-src'), isPage ? "'self'" : "'none'", name);
    // swagger-ui styles its elements in place; nothing else may, and no script anywhere.
    const code = policy.get('script-src') ?? policy.get('default-src');
    t.match(code, /^'(self|none)'$/, name);
    if (!isPage) t.equal(policy.get('style-src') ?? "'self'", "'self'", name);
    t.notMatch([...policy.values()].join(' '), /https?:|\*|unsafe-eval/, name);
    t.equal(headers.get('x-content-type-options'), 'nosniff', name);
    t.equal(headers.get('referrer-policy'), 'no-referrer', name);
    t.equal(headers.get('strict-transport-security'), null, name);
    t.equal(headers.get('x-powered-by'), null, name);
    if (path.startsWith('/v1/')) t.equal(headers.get('cache-control'), 'no-store', name);
  }
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  socket.write('no HTTP\r\n\r\n');
  t.match(await text(socket), /^HTTP\/1\.1 400 .*default-src 'none'.*nosniff/s, 'also to what is no request');
});
