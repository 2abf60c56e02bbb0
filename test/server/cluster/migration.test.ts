import t from 'tap';
import { FAMILIES } from '../../../src/server/metrics/families.js';
import { ownerOf, scrapeCluster, TestCluster } from '../../support/cluster.js';
import { NO_NATS } from '../../support/nats.js';
import { southbridgeBeside } from '../../support/program.js';
import { TestServer } from '../../support/server.js';
import { tier } from '../../support/tier.js';
import { VcpuClient } from '../../support/vcpu-client.js';

const skip = tier.triesCluster ? NO_NATS : 'not in this tier';

const CONFIGURATION = '0xfed00010';
const COMPARATOR = '0xfed00108';

t.test('machines move between nodes', { skip }, async (t) => {
  const { nodes } = await TestCluster.start(t, 2);
  const [first, second] = nodes;
  const path = '/v1/machines/m';
  t.equal((await first.request('POST', '/v1/machines', { name: 'm', clock: 'manual' })).status, 201);

  t.test('a running machine keeps its state and its epoch', async (t) => {
    t.equal((await first.request('PUT', `${path}/mmio/${COMPARATOR}?size=8`, { value: '0x1234' })).status, 204);
    const { body: before } = await first.request('GET', path);
    const vcpu = await VcpuClient.connect(`${first.url.replace('http', 'ws')}${path}/vcpus/0`);
    const { status, body } = await first.request('POST', `${path}/migrate`, { node: 'n1' });
    t.equal(status, 204, JSON.stringify(body));
    t.strictSame(await vcpu.closed, { code: 1001, reason: 'machine-moved' });
    t.notOk(await first.owns('m'));
    const { body: after } = await second.request('GET', path);
    t.equal(after.epoch, before.epoch, 'the same epoch');
    t.equal((await second.request('GET', `${path}/mmio/${COMPARATOR}?size=8`)).body.value, '0x0000000000001234');
  });

  t.test('requests that come during a migration are executed once, or refused', async (t) => {
    let value = 0;
    let isDone = false;
    /** Writes until the machine has moved; returns the last value that was acknowledged. */
    const write = async () => {
      let acknowledged = 0;
      while (!isDone) {
        const next = ++value;
        const { status, body } = await second.request('PUT', `${path}/mmio/${COMPARATOR}?size=8`, {
          value: `0x${next.toString(16)}`,
        });
        if (status === 204) acknowledged = next;
        else t.match(body.error.code, /^(machine-moved|owner-unknown)$/);
      }
      return acknowledged;
    };
    const written = write();
    const { status, body } = await second.request('POST', `${path}/migrate`, { node: 'n0' });
    isDone = true;
    t.equal(status, 204, JSON.stringify(body));
    const acknowledged = await written;
    const last = await first.request('GET', `${path}/mmio/${COMPARATOR}?size=8`);
    t.equal(Number(last.body.value), acknowledged, 'the last acknowledged write, and none after it');
  });

  t.test('what cannot be moved is refused, and stays', async (t) => {
    for (const node of ['n0', 'nowhere']) {
      const { status, body } = await first.request('POST', `${path}/migrate`, { node });
      t.equal(status, 404);
      t.equal(body.error.code, 'unknown-node');
    }
    t.equal((await first.request('GET', path)).status, 200);
    t.strictSame(
      (await first.request('GET', '/v1/cluster')).body.nodes.map(({ node }: { node: string }) => node),
      ['n0', 'n1'],
    );
  });

  t.test('any node describes nodes, leases, placement and migrations', async (t) => {
    for (const node of nodes) {
      const { status, body } = await node.request('GET', '/v1/cluster');
      t.equal(status, 200);
      t.equal(body.node, node.name);
      for (const each of body.nodes) {
        t.match(each, { state: /^(open|late)$/, incarnation: /./, draining: false, machines: Number, room: Number });
        t.ok(each.leaseMs > 0 && each.leaseMs <= 3600, `lease ends in ${each.leaseMs} ms`);
        t.ok(each.load >= 0 && each.load <= 1, `load ${each.load}`);
      }
      t.strictSame([body.gone, body.unstartable, body.migrations.running], [[], [], []]);
      const moves = body.migrations.last.map(({ machine, from, to, result }: { [key: string]: string }) => [
        machine,
        from,
        to,
        result,
      ]);
      t.strictSame(moves, [
        ['m', 'n1', 'n0', 'moved'],
        ['m', 'n0', 'n1', 'moved'],
      ]);
      for (const { pauseMs } of body.migrations.last) t.ok(pauseMs > 0 && pauseMs < 10_000, `a pause of ${pauseMs} ms`);
    }
    // Counts come with the next renewals.
    let placement: { owned: number };
    do ({ placement } = (await second.request('GET', '/v1/cluster')).body);
    while (placement.owned !== 1);
    t.match(placement, { steward: /^n[01]$/, withoutOwner: 0, unstartable: 0 });
  });

  t.test('metrics have the label node', async (t) => {
    for (const [index, node] of nodes.entries()) {
      const samples = await scrapeCluster(node);
      const names = [...FAMILIES].map(({ name }) => name).filter((name) => name.startsWith('southbridge_cluster_'));
      // Only the steward knows of machines that no node runs.
      for (const name of names.filter((name) => !/_without_owner|_unstartable/.test(name)))
        t.ok(
          [...samples.keys()].some((sample) => sample.startsWith(name)),
          name,
        );
      for (const sample of samples.keys()) t.match(sample, `node="${node.name}"`);
      const value = (name: string, labels = '') =>
        samples.get(`southbridge_cluster_${name}{node="n${index}"${labels}}`);
      t.equal(value('migrations_total', ',result="moved"'), 1);
      t.equal(value('migration_pause_seconds_count'), 1);
      t.equal(value('claims_total'), 1);
      t.equal(value('nodes'), 2);
      t.equal(value('store_up'), 1);
      t.equal(value('machines'), index === 0 ? 1 : 0);
      t.ok(Number(value('lease_remaining_seconds')) > 0);
    }
  });

  t.test('a drained node has no machines, and takes none', async (t) => {
    t.equal((await first.request('PUT', `${path}/mmio/${CONFIGURATION}?size=8`, { value: '0x1' })).status, 204);
    // Any node is asked.
    const drain = (node: string, ...options: string[]) =>
      southbridgeBeside(['cluster', 'drain', node, '--url', second.url, ...options]);
    t.match(await drain('n0'), { status: 0, stdout: 'n0 has no machines\n' });
    t.ok(await second.owns('m'));
    t.match(await drain('n1', '--json'), { status: 1, stdout: '{"stayed":1}\n' }, 'no other node takes machines');
    t.match(await drain('nowhere'), { status: 2, stdout: '', stderr: /^error: .*nowhere/ });
    // Other nodes see it with its next renewal.
    let stdout = '';
    do ({ stdout } = await southbridgeBeside(['cluster', 'nodes', '--url', first.url]));
    while (!/^n1 \S+ drains/m.test(stdout));
    t.match(
      stdout,
      /^n0 http:\S+ drains, has 0, load \d+ %, lease for \d\.\d s\nn1 http:\S+ drains, has 1, load .*\n$/,
    );
  });

  t.test('a node that is shut down in order leaves its machines to others, in the same epoch', async (t) => {
    const { body: before } = await second.request('GET', path);
    t.equal(before.name, 'm');
    second.signal('SIGTERM');
    first.signal('SIGTERM');
    t.strictSame(await Promise.all([first.exited, second.exited]), [0, 0]);
    const again = await first.again();
    const owner = await ownerOf('m', [again]);
    t.equal((await owner.request('GET', path)).body.epoch, before.epoch);
  });
});

t.test('a server that is alone has no cluster', async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  for (const [method, path, body] of [
    ['GET', '/v1/cluster', undefined],
    ['POST', '/v1/cluster/drain', {}],
    ['POST', '/v1/machines/default/migrate', { node: 'a' }],
  ] as const) {
    const reply = await server.request(method, path, body);
    t.equal(reply.status, 409, path);
    t.equal(reply.body.error.code, 'no-cluster');
  }
});
