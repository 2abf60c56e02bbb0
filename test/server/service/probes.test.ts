import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { TestServer } from '../../support/server.js';

/** The answer to raw bytes: status and body. */
async function answerTo(server: TestServer, request: string | Buffer): Promise<{ status: number; body: string }> {
  const socket = connect({ port: Number(new URL(server.url).port), host: '127.0.0.1' });
  socket.write(request);
  const answer = await text(socket);
  const [head, ...body] = answer.split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), body: body.join('\r\n\r\n') };
}

t.test('probes may use HEAD', async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  for (const path of ['/healthz', '/readyz', '/metrics']) {
    const { status, body } = await server.request('HEAD', path);
    t.equal(status, 200, path);
    t.equal(body, '', path);
  }
  t.equal((await server.request('HEAD', '/v1/machines')).status, 405, 'other routes have no HEAD');
});

t.test('a body that is not plain UTF-8 is refused, and changes nothing', async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  const body = JSON.stringify({ name: 'm' });
  const post = (bytes: Buffer, headers: Record<string, string>) =>
    fetch(`${server.url}/v1/machines`, {
      method: 'POST',
      body: bytes,
      headers: { 'content-type': 'application/json', ...headers },
    });
  const cases: readonly [Buffer, Record<string, string>][] = [
    [gzipSync(body), { 'content-encoding': 'gzip' }],
    [Buffer.from(body), { 'content-encoding': 'gzip' }],
    [Buffer.from(body), { 'content-encoding': 'br' }],
    [Buffer.from(body), { 'content-encoding': 'gzip, identity' }],
    [Buffer.from(body, 'utf16le'), { 'content-type': 'application/json; charset=utf-16' }],
    [Buffer.from(body), { 'content-type': 'application/json; charset="utf-16le"' }],
    [Buffer.from(body), { 'content-type': 'application/json;charset=latin1' }],
  ];
  for (const [bytes, headers] of cases) {
    const response = await post(bytes, headers);
    t.equal(response.status, 415, JSON.stringify(headers));
    t.match(await response.json(), { error: { code: 'unsupported-encoding' } }, JSON.stringify(headers));
  }
  t.equal((await server.get('/v1/machines')).machines.length, 1, 'no machine was made');
  const plain = await post(Buffer.from(body), {
    'content-type': 'application/json; charset=UTF-8',
    'content-encoding': 'identity',
  });
  t.equal(plain.status, 201);
});

t.test('every refusal has a body', async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  const close = 'connection: close\r\n\r\n';
  const requests: { readonly [code: string]: string } = {
    'foreign-host': `GET /v1/machines HTTP/1.1\r\n${close}`,
    'expectation-failed': `GET /v1/machines HTTP/1.1\r\nhost: localhost\r\nexpect: the-impossible\r\n${close}`,
    'bad-request': `NONSENSE\r\n\r\n`,
  };
  for (const [code, request] of Object.entries(requests)) {
    const { status, body } = await answerTo(server, request);
    t.ok(status >= 400 && status < 500, `${code}: status ${status}`);
    t.match(JSON.parse(body), { error: { code } });
  }
});
