import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { WebSocket } from 'ws';
import type { ConfigurationInput } from '../../../src/config/schema.js';
import { startServer } from '../../../src/server/boot.js';
import { GatewayTime } from '../../../src/server/security/gateway-time.js';
import { addToken, hashOf, isGoodFor, readTokenFile } from '../../../src/server/security/token-file.js';
import { southbridge } from '../../support/program.js';
import { allRoutes, pathOf } from '../../support/routes.js';
import { configuration, TestServer } from '../../support/server.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** A server with the machines `default` and `vm-1`, and a token file for it. */
async function start(t: Test, tokens: (file: string) => void, input: ConfigurationInput = {}): Promise<TestServer> {
  const tokenFile = join(temporaryFolder(t), 'tokens');
  tokens(tokenFile);
  const server = await TestServer.start({ tokenFile, machines: [{ name: 'default' }, { name: 'vm-1' }], ...input });
  t.teardown(server.stop);
  return server;
}

t.test('a token that is limited to machines: every route, and what lists machines', async (t) => {
  let limited = '';
  let all = '';
  const server = await start(t, (file) => {
    limited = addToken(file, 'limited', 'admin', { machines: ['vm-*'] });
    all = addToken(file, 'all', 'admin');
  });
  const get = async (path: string, token: string) => (await server.request('GET', path, undefined, bearer(token))).body;
  const denied = { status: 403, body: { error: { code: 'machine-not-allowed', machine: 'default', allowed: 'vm-*' } } };
  for (const { method, url, websocket } of await allRoutes()) {
    if (!url.includes(':machine') || websocket) continue;
    const body = method === 'GET' ? undefined : {};
    t.match(await server.request(method, pathOf(url), body, bearer(limited)), denied, `${method} ${url}`);
  }
  for (const path of ['vcpus/0', 'irqs']) {
    for (const [machine, status] of [
      ['default', 403],
      ['vm-1', 101],
    ] as const) {
      const url = server.socketUrl(`/v1/machines/${machine}/${path}`);
      const socket = new WebSocket(url, 'southbridge.v1.json', { headers: bearer(limited) });
      socket.on('error', () => {});
      const refused = new Promise<number>((resolve) =>
        socket.on('unexpected-response', (_, { statusCode }) => resolve(statusCode ?? 0)),
      );
      t.equal(await Promise.race([refused, once(socket, 'open').then(() => 101)]), status, `${machine}/${path}`);
      socket.terminate();
    }
  }
  t.match(
    await server.request('GET', '/v1/machines/none', undefined, bearer(limited)),
    { status: 403 },
    'nor an absent one',
  );
  t.match(await server.request('POST', '/v1/machines', { name: 'other' }, bearer(limited)), { status: 403 });
  t.match(await server.request('PUT', '/v1/log', { level: 'warn' }, bearer(limited)), { status: 403 });
  t.equal((await server.request('POST', '/v1/machines', { name: 'vm-2' }, bearer(limited))).status, 201);
  const names = async (token: string) =>
    (await get('/v1/machines', token)).machines.map(({ name }: { name: string }) => name);
  t.same(await names(limited), ['vm-1', 'vm-2']);
  t.same(await names(all), ['default', 'vm-1', 'vm-2']);
  const machinesIn = async (token: string) =>
    [...new Set([...(await get('/metrics', token)).matchAll(/machine="([^"]*)"/g)].map(([, name]) => name))].sort();
  t.same(await machinesIn(limited), ['vm-1', 'vm-2']);
  t.ok((await machinesIn(all)).includes('default'));
  t.match(
    await get('/metrics', limited),
    /^southbridge_connections\{kind="vcpu"\}/m,
    'what concerns the server is there',
  );
  t.equal((await server.request('DELETE', '/v1/machines/vm-2', undefined, bearer(limited))).status, 204);
});

t.test('patterns of machines', (t) => {
  const name = fc.string({ unit: fc.constantFrom('a', 'b', '-', '.'), maxLength: 8 });
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '-', '.', '*'), maxLength: 8 });
  fc.assert(
    fc.property(name, pattern, (name, pattern) => {
      const expected = new RegExp(`^${pattern.replaceAll('.', '\\.').replace(/\*+/g, '.*')}$`).test(name);
      return isGoodFor({ machines: [pattern] }, name) === expected;
    }),
    { numRuns: 2000 },
  );
  t.end();
});

t.test('a token that expires', async (t) => {
  const past = `sbt_${'p'.repeat(43)}`;
  const soon = `sbt_${'s'.repeat(43)}`;
  const end = new Date(Date.now() + 3000).toISOString();
  const line = (name: string, token: string, expires: string) =>
    `${name} admin sha256:${hashOf(token).toString('hex')} 2026-11-25 expires=${expires}\n`;
  const server = await start(t, (file) => {
    const text = line('past', past, '2026-11-26T00:00:00.000Z') + line('soon', soon, end);
    writeFileSync(file, text, { mode: 0o600 });
  });
  const refused = await server.request('GET', '/v1/machines', undefined, bearer(past));
  t.match(refused, { status: 401, body: { error: { code: 'token-expired', expires: '2026-11-26T00:00:00.000Z' } } });
  t.match(refused.headers.get('www-authenticate'), /invalid_token/);
  const client = await server.connect('vm-1', 0, { headers: bearer(soon) });
  t.match(await client.closed, { code: 1008, reason: 'token-expired' }, 'its connections end with it');
  t.ok(Date.now() >= Date.parse(end), 'and not before');
  t.equal((await server.request('GET', '/v1/machines', undefined, bearer(soon))).status, 401);
});

t.test('limits of tokens on the command line', async (t) => {
  const file = join(temporaryFolder(t), 'tokens');
  const add = (name: string, ...more: string[]) =>
    southbridge(['token', 'add', name, '--role', 'drive', '--file', file, ...more]);
  t.equal(add('ci', '--machines', 'vm-*,test', '--expires', '2099-01-31').status, 0);
  t.match(
    southbridge(['token', 'list', '--file', file]).stdout,
    /^ci drive \S+ machines=vm-\*,test expires=2099-02-01T00:00:00.000Z\n$/,
  );
  t.match(readTokenFile(file), [{ name: 'ci', machines: ['vm-*', 'test'], expires: '2099-02-01T00:00:00.000Z' }]);
  t.match(add('x', '--machines', 'VM'), { status: 1, stderr: /machines is not allowed/ });
  t.match(add('x', '--expires', 'tomorrow'), { status: 1, stderr: /expires is not allowed/ });
  for (const more of ['machines=VM', 'expires=tomorrow', 'machines=']) {
    writeFileSync(file, `a admin sha256:${'0'.repeat(64)} 2026-11-25 ${more}\n`);
    await t.rejects(startServer(configuration({ tokenFile: file })), { code: 'token-file-unusable' }, more);
  }
});

t.test('the bucket of a token', (t) => {
  let now = 0;
  const time = new GatewayTime(100, () => now);
  time.require('a');
  time.charge('a', 999);
  time.require('a');
  time.charge('a', 501);
  t.throws(() => time.require('a'), { code: 'token-busy', details: { retryAfter: 5 } });
  time.require('b');
  now += 5000;
  t.throws(() => time.require('a'), { code: 'token-busy', details: { retryAfter: 1 } });
  now += 1;
  time.require('a');
  now += 3_600_000;
  time.charge('a', 1000);
  t.throws(() => time.require('a'), { code: 'token-busy' }, 'it saves up ten seconds of time, and no more');
  t.end();
});

t.test('a token that uses more of the gateway than its share is refused, and no other', async (t) => {
  let greedy = '';
  let other = '';
  const server = await start(
    t,
    (file) => {
      greedy = addToken(file, 'greedy', 'admin');
      other = addToken(file, 'other', 'observe');
    },
    { limits: { gatewayMsPerSecond: 1 } },
  );
  let reply = await server.request('GET', '/v1/machines', undefined, bearer(greedy));
  t.equal(reply.status, 200);
  while (reply.status === 200) reply = await server.request('GET', '/v1/machines', undefined, bearer(greedy));
  t.match(reply, { status: 429, body: { error: { code: 'token-busy' } } });
  t.ok(Number(reply.headers.get('retry-after')) >= 1);
  t.equal((await server.request('GET', '/v1/machines', undefined, bearer(other))).status, 200);
  for (const path of ['/healthz', '/readyz', '/metrics']) {
    t.equal((await server.request('GET', path, undefined, bearer(greedy))).status, 200, path);
  }
  const client = await server.connect('vm-1', 0, { headers: bearer(greedy) });
  t.ok(await client.read(0xfed00000, 8), 'nor are sockets');
  await client.close();
});

t.test('JSON that is nested too deep is refused, in bodies and frames', async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ]) {
    for (const depth of [40, 5000, 100_000]) {
      const text = `{"name":${open.repeat(depth)}1${close.repeat(depth)}}`;
      t.match(await server.request('POST', '/v1/machines', text), {
        status: 400,
        body: { error: { code: 'too-deep' } },
      });
    }
    const client = await server.connect('default', 0);
    t.match(await client.frame(`{"type":"sync","id":${open.repeat(99)}1${close.repeat(99)}}`), { code: 'too-deep' });
    await client.close();
  }
});

t.test('one trace is exported at a time', async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  await server.request('PUT', '/v1/machines/default/trace', { enabled: true });
  const path = '/v1/machines/default/trace?format=perfetto';
  const { from } = Readable;
  t.teardown(() => {
    Readable.from = from;
  });
  let [begins, ends] = [() => {}, () => {}];
  const begun = new Promise<void>((resolve) => {
    begins = resolve;
  });
  const end = new Promise<void>((resolve) => {
    ends = resolve;
  });
  /** An export that has begun, and waits with its first piece. */
  Readable.from = (pieces) => {
    begins();
    return from(
      (async function* () {
        await end;
        yield* pieces as Iterable<string>;
      })(),
    );
  };
  const first = server.request('GET', path);
  await begun;
  const second = await server.request('GET', path);
  t.match(second, { status: 429, body: { error: { code: 'export-busy' } } });
  t.equal(second.headers.get('retry-after'), '1');
  t.equal((await server.request('GET', '/v1/machines/default/trace')).status, 200, 'its size costs nothing');
  ends();
  t.equal((await first).status, 200);
  t.equal((await server.request('GET', path)).status, 200, 'and the next when it is done');
});
