import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import t from 'tap';
import { connectToNats, NatsStore } from '../../../src/server/cluster/nats-store.js';
import { decodeLease, LEASES, type LeaseRecord } from '../../../src/server/cluster/records.js';
import { addToken } from '../../../src/server/security/token-file.js';
import { TestCluster, type TestNode } from '../../support/cluster.js';
import { NO_NATS } from '../../support/nats.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { tier } from '../../support/tier.js';

const skip = tier.triesCluster ? NO_NATS : 'not in this tier';

const HEADER = 'southbridge-forwarded';
const MACHINE = '/v1/machines/m';
const COMPARATOR = '0xfed00108';

t.test('nodes prove to each other for whom they forward a request', { skip }, async (t) => {
  const tokenFile = join(temporaryFolder(t), 'tokens');
  const admin = addToken(tokenFile, 'operator', 'admin');
  const guest = addToken(tokenFile, 'guest', 'drive', { machines: ['m'] });
  const limits = { connectionsPerAddress: 1 };
  const { nodes, nats } = await TestCluster.start(t, 2, { tokenFile, limits }, 1);
  const [owner, other] = nodes;
  const shown = (token: string) => ({ authorization: `Bearer ${token}` });
  for (const name of ['m', 'n']) {
    const made = await owner.request('POST', '/v1/machines', { name, clock: 'manual' }, shown(admin));
    t.equal(made.status, 201, JSON.stringify(made.body));
  }

  t.test('the token, its role and its machines decide at any node', async (t) => {
    const requests: readonly [token: string, method: string, path: string, body?: unknown][] = [
      ['', 'GET', MACHINE],
      [`${guest}x`, 'GET', MACHINE],
      [guest, 'GET', MACHINE],
      [guest, 'PUT', `${MACHINE}/mmio/${COMPARATOR}`, { value: '0x1' }],
      [guest, 'DELETE', MACHINE],
      [guest, 'GET', '/v1/machines/n'],
      [admin, 'GET', '/v1/machines/n'],
    ];
    for (const [token, method, path, body] of requests) {
      const headers = token === '' ? {} : shown(token);
      const direct = await owner.request(method, path, body, headers);
      const routed = await other.request(method, path, body, headers);
      t.equal(routed.status, direct.status, `${method} ${path}`);
      t.strictSame(routed.body, direct.body);
    }
    const listed = await other.request('GET', '/v1/machines', undefined, shown(guest));
    t.strictSame(
      listed.body.machines.map(({ name }: { name: string }) => name),
      ['m'],
      'a list has the machines of the token only',
    );
  });

  const options = { servers: nats.urls, replicas: 1, prefix: 'southbridge', timeoutMs: 5000 };
  const connection = await connectToNats(options);
  t.teardown(() => connection.close());
  const store = await NatsStore.open(connection, 'machines', options);
  const leases = (await store.list(LEASES)).map(({ value }) => decodeLease(value));
  const lifeOf = (node: TestNode) => leases.find((lease) => lease.node === node.name) as LeaseRecord;
  const secretOf = async () => Buffer.from((await store.get('secret.nodes'))?.value ?? []);

  /** What a node would send, with numbers that it has not reached and that do not make its own too old. */
  let number = 30_000;
  const passport = (key: Buffer, method: string, url: string, client: object) => {
    const [from, to] = [other, owner].map((node) => {
      const { node: name, incarnation } = lifeOf(node);
      return { node: name, incarnation };
    });
    const text = Buffer.from(JSON.stringify({ from, to, number: ++number, client })).toString('base64url');
    const mac = createHmac('sha256', key).update(`${method} ${url}\n${text}`).digest('base64url');
    return { [HEADER]: `${text}.${mac}` };
  };
  const client = {
    address: '203.0.113.7',
    token: { name: 'guest', role: 'drive', made: '2026-11-30' },
    isLocal: false,
  };

  t.test('a captured header is good for no other request', async (t) => {
    const headers = passport(await secretOf(), 'GET', MACHINE, client);
    const codes = [
      await owner.request('DELETE', MACHINE, undefined, headers),
      await owner.request('GET', '/v1/machines/n', undefined, headers),
      await other.request('GET', MACHINE, undefined, headers),
      await owner.request('GET', MACHINE, undefined, headers),
      await owner.request('GET', MACHINE, undefined, headers),
    ].map(({ status, body }) => body.error?.code ?? status);
    t.strictSame(codes, ['forwarding-refused', 'forwarding-refused', 'forwarding-stale', 200, 'forwarding-stale']);
  });

  t.test('a client cannot sign', async (t) => {
    const claims = { ...client, token: { ...client.token, role: 'admin' } };
    for (const headers of [{ [HEADER]: 'x' }, passport(Buffer.alloc(32), 'GET', MACHINE, claims)])
      for (const node of nodes)
        for (const token of [{}, shown(admin)]) {
          const { status, body } = await node.request('GET', MACHINE, undefined, { ...headers, ...token });
          t.equal(status, 403);
          t.equal(body.error.code, 'forwarding-refused');
        }
  });

  t.test('the owner holds a forwarded request to the role, the end and the address that it carries', async (t) => {
    const key = await secretOf();
    const send = (method: string, path: string, changed: object) =>
      owner.request(method, path, undefined, passport(key, method, path, { ...client, ...changed }));
    const low = await send('DELETE', MACHINE, {});
    t.equal(low.body.error.code, 'role-too-low');
    const token = { ...client.token, expires: '2026-01-01T00:00:00.000Z' };
    t.equal((await send('GET', MACHINE, { token })).body.error.code, 'token-expired');
    t.equal((await send('GET', MACHINE, { token: undefined })).body.error.code, 'token-missing');
    t.equal((await send('GET', '/v1/machines/none', {})).body.error.code, 'machine-moved', 'it goes no further');

    const url = `${MACHINE}/irqs/events`;
    const open = async (address: string) => {
      const headers = passport(key, 'GET', url, { ...client, address });
      const response = await fetch(owner.url + url, { headers });
      t.teardown(() => response.body?.cancel());
      return response.status;
    };
    t.strictSame([await open('203.0.113.1'), await open('203.0.113.2')], [200, 200], 'addresses of clients');
    t.equal(await open('203.0.113.1'), 429, 'each has a limit of its own');
  });

  t.test('the nodes change their secret when it is deleted', async (t) => {
    const before = await secretOf();
    await store.remove('secret.nodes');
    let after = before;
    while (after.length === 0 || after.equals(before)) after = await secretOf();
    let code: string | undefined;
    // The one before is good for the time of a lease.
    for (let status = 0; status !== 403; ) {
      const reply = await owner.request('GET', MACHINE, undefined, passport(before, 'GET', MACHINE, client));
      ({ status } = reply);
      code = reply.body.error?.code;
    }
    t.equal(code, 'forwarding-refused');
    t.equal((await other.request('GET', MACHINE, undefined, shown(guest))).status, 200);
    t.equal((await owner.request('GET', MACHINE, undefined, passport(after, 'GET', MACHINE, client))).status, 200);
  });
});
