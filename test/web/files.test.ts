import { request } from 'node:http';
import { connect } from 'node:net';
import t from 'tap';
import { TestServer } from '../support/server.js';

const UPLOT = '/page/uplot/uPlot.esm.js';

/** Asks for a path exactly as it is written. */
function ask(server: TestServer, method: string, path: string, headers = {}) {
  return new Promise<{ status?: number; headers: NodeJS.Dict<string | string[]>; body: string }>((resolve, reject) => {
    const { hostname, port } = new URL(server.url);
    const asked = request({ hostname, port, method, path, headers }, async (response) => {
      let body = '';
      for await (const chunk of response) body += chunk;
      resolve({ status: response.statusCode, headers: response.headers, body });
    });
    asked.on('error', reject).end();
  });
}

t.test('files of the page come with what a browser needs to keep them', async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  const whole = await ask(server, 'GET', UPLOT);
  t.equal(whole.status, 200);
  t.match(whole.headers['content-type'], /^application\/javascript/);
  t.equal(whole.headers['cache-control'], 'no-cache');
  t.equal(Number(whole.headers['content-length']), Buffer.byteLength(whole.body));

  const kept = await ask(server, 'GET', UPLOT, { 'if-none-match': whole.headers.etag });
  t.match(kept, { status: 304, body: '' });
  t.match(await ask(server, 'GET', UPLOT, { 'if-none-match': '"another"' }), { status: 200, body: whole.body });
  t.equal((await ask(server, 'GET', '/docs', { 'if-none-match': 'undefined' })).status, 200, 'which has no ETag');

  const head = await ask(server, 'HEAD', UPLOT);
  t.match(head, { status: 200, body: '', headers: { 'content-length': whole.headers['content-length'] } });

  // RFC 9110, 14.2: a server without range support answers with the whole.
  for (const range of ['bytes=0-9', 'bytes=999999999-']) {
    const answer = await ask(server, 'GET', UPLOT, { range });
    t.match(answer, { status: 200, body: whole.body }, range);
    t.equal(answer.headers['accept-ranges'], undefined);
  }
});

t.test('every module that the page imports is served, and imports by a path', async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  const page = await ask(server, 'GET', '/');
  const [script] = /[^"]+\.js(?=")/.exec(page.body) ?? [];
  const found = new Set(['/page/modules/client/index.js', new URL(script ?? '', `${server.url}/`).pathname]);
  for (const path of found) {
    const { status, body } = await ask(server, 'GET', path);
    t.equal(status, 200, path);
    for (const [, target] of body.matchAll(/^(?:import|(?:import|export) [\w*{][^'";=]*from) ['"]([^'"]+)['"]/gm)) {
      t.match(target, /^\.{0,2}\//, `${path} imports ${target}`);
      found.add(new URL(target, `${server.url}${path}`).pathname);
    }
  }
  t.ok(found.size > 30, 'modules of the page, of the client and of the protocol');
});

t.test('what is no file of the page is not there, wherever the path leads', async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  for (const path of [
    '/page/none.js',
    '/page/modules/server.js',
    '/page/../package.json',
    '/page/%2e%2e/package.json',
    '/page/..%2fpackage.json',
    '/page/a%00b.js',
    // Other spellings of what is there: each would be one more to keep.
    '/page/uplot/%75Plot.esm.js',
    '/page/./uplot/uPlot.esm.js',
    '/page/uplot//uPlot.esm.js',
    '/page/',
    '/docs/none',
    '/docs/comparison.html',
    '/docs/images/none.png',
    '/docs/api/static/none',
  ]) {
    for (const method of ['GET', 'HEAD']) {
      const { status, body } = await ask(server, method, path);
      t.equal(status, 404, `${method} ${path}`);
      if (method === 'GET') t.equal(JSON.parse(body).error.code, 'unknown-route', path);
    }
  }
  t.match(await ask(server, 'HEAD', '/docs/protocol'), { status: 200, body: '' });
  const protocol = await ask(server, 'POST', '/docs/protocol');
  t.match(protocol, { status: 405, headers: { allow: 'GET, HEAD' } });
  const posted = await ask(server, 'POST', UPLOT);
  t.match(posted, { status: 405, headers: { allow: 'GET, HEAD' } });
});

t.test('files that are asked for and not read fill no memory', async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  const bundle = '/docs/api/static/swagger-ui-bundle.js';
  const { body } = await ask(server, 'GET', bundle);
  const before = process.memoryUsage().rss;

  const requests = 200;
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname).pause();
  socket.write(`GET ${bundle} HTTP/1.1\r\nhost: ${hostname}:${port}\r\n\r\n`.repeat(requests));
  // Answered behind them: what they cost has been spent.
  for (let count = 0; count < 20; count++) await server.get('/healthz');
  await new Promise((resolve) => setTimeout(resolve, 500));
  const grown = process.memoryUsage().rss - before;
  t.ok(grown < (requests * body.length) / 4, `${requests} × ${body.length} bytes asked for: ${grown} more in memory`);

  socket.destroy();
});
