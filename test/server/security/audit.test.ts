import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { addToken, removeToken } from '../../../src/server/security/token-file.js';
import { CLI, Program } from '../../support/program.js';
import { allRoutes, pathOf } from '../../support/routes.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

/** A server of its own process, with tokens, and the lines of its audit log. */
class AuditedServer {
  readonly #program: Program;
  #url = '';
  #requests = 0;
  #reloads = 0;
  #read = 0;

  private constructor(file: string) {
    this.#program = new Program([CLI, 'serve', '--port', '0', '--log-level', 'debug', '--token-file', file]);
  }

  static async start(t: Test, file: string): Promise<AuditedServer> {
    const server = new AuditedServer(file);
    t.teardown(async () => {
      server.#program.child.kill();
      await server.#program.exited;
    });
    server.#url = (await server.#program.line())?.replace(/^.* /, '') ?? '';
    return server;
  }

  async request(token: string, method: string, path: string, body?: unknown) {
    const response = await fetch(this.#url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      body: body ? JSON.stringify(body) : undefined,
    });
    this.#requests++;
    return { status: response.status, text: await response.text() };
  }

  async reload(): Promise<void> {
    this.#program.child.kill('SIGHUP');
    this.#reloads++;
    await this.#logged(/read again|stay as they were/, this.#reloads);
  }

  /** The lines that were written since the last call: of each what the server adds to the fields of every line. */
  async audit(): Promise<object[]> {
    // The server logs a request after it has answered.
    await this.#logged(/"msg":"request"/, this.#requests);
    const lines = this.#program.stderr.split('\n').slice(0, -1);
    const records = lines.slice(this.#read).map((line) => JSON.parse(line));
    this.#read = lines.length;
    return records
      .filter(({ audit }) => audit)
      .map(
        ({ level: _level, time: _time, pid: _pid, hostname: _host, reqId: _id, msg: _msg, audit: _, ...own }) => own,
      );
  }

  async #logged(pattern: RegExp, times: number): Promise<void> {
    const all = new RegExp(pattern, 'g');
    while ([...this.#program.stderr.matchAll(all)].length < times) await once(this.#program.child.stderr, 'data');
  }
}

t.test('the log has a line, with the name of the token, for what changed machines', async (t) => {
  const file = join(temporaryFolder(t), 'tokens');
  const [alice, bob] = [addToken(file, 'alice', 'admin'), addToken(file, 'bob', 'drive')];
  const server = await AuditedServer.start(t, file);
  t.match(await server.request(alice, 'POST', '/v1/machines', { name: 'made' }), { status: 201 });
  t.match(await server.request(alice, 'POST', '/v1/machines', { name: 'made' }), { status: 409 });
  t.match(await server.request(bob, 'POST', '/v1/machines', { name: 'other' }), { status: 403 });
  t.match(await server.request(bob, 'PUT', '/v1/machines/made/mmio/0xfed00010', { value: '0x1' }), {
    status: 204,
  });
  t.match(await server.request(bob, 'GET', '/v1/machines/made'), { status: 200 });
  const snapshot = JSON.parse((await server.request(alice, 'GET', '/v1/machines/made/snapshot')).text);
  t.match(await server.request(alice, 'PUT', '/v1/machines/made/snapshot?counter=jump', snapshot), { status: 200 });
  t.match(await server.request(alice, 'DELETE', '/v1/machines/made'), { status: 204 });
  const line = { token: 'alice', machine: 'made' };
  t.same(await server.audit(), [
    { ...line, method: 'POST', path: '/v1/machines', status: 201 },
    { ...line, method: 'PUT', path: '/v1/machines/made/snapshot', status: 200 },
    { ...line, method: 'DELETE', path: '/v1/machines/made', status: 204 },
  ]);
});

t.test('each route that changes something has such a line, and no other has one', async (t) => {
  const file = join(temporaryFolder(t), 'tokens');
  const token = addToken(file, 'alice', 'admin');
  const server = await AuditedServer.start(t, file);
  const BODIES: { readonly [url: string]: object } = { '/v1/machines': { name: 'made' } };
  const GUEST = /\/(?:mmio|lines|inputs|clock)\b/;
  let lines = 0;
  for (const { method, url, websocket } of await allRoutes()) {
    // The machine is deleted last, and streams do not end.
    if (websocket || method === 'DELETE' || /\/(?:events|stream)$/.test(url)) continue;
    const { status } = await server.request(
      token,
      method,
      pathOf(url),
      method === 'GET' || method === 'HEAD' ? undefined : (BODIES[url] ?? {}),
    );
    const expected = status < 400 && !['GET', 'HEAD'].includes(method) && !GUEST.test(url) ? 1 : 0;
    t.equal((await server.audit()).length, expected, `${method} ${url}: ${status}`);
    lines += expected;
  }
  t.ok(lines > 4, `${lines} lines`);
});

t.test(
  'the log has a line for each token that was added, removed or changed, when the file is read again',
  async (t) => {
    const file = join(temporaryFolder(t), 'tokens');
    for (const name of ['stays', 'leaves', 'grows', 'narrows', 'renewed']) addToken(file, name, 'drive');
    const server = await AuditedServer.start(t, file);
    removeToken(file, 'leaves');
    removeToken(file, 'renewed');
    addToken(file, 'renewed', 'drive');
    addToken(file, 'comes', 'observe', { machines: ['vm-*'] });
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace(/^grows drive/m, 'grows admin').replace(/^(narrows .*)$/m, '$1 machines=a,b'));
    await server.reload();
    t.same(await server.audit(), [
      { token: 'leaves', change: 'removed', role: 'drive', limits: [] },
      { token: 'grows', change: 'changed', role: 'admin', limits: [] },
      { token: 'narrows', change: 'changed', role: 'drive', limits: ['machines=a,b'] },
      { token: 'renewed', change: 'changed', role: 'drive', limits: [] },
      { token: 'comes', change: 'added', role: 'observe', limits: ['machines=vm-*'] },
    ]);
    await server.reload();
    t.same(await server.audit(), [], 'nothing has changed');
    chmodSync(file, 0o622);
    await server.reload();
    t.same(await server.audit(), [], 'a file that is refused changes nothing');
  },
);
