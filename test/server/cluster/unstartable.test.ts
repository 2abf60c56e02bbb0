import t, { type Test } from 'tap';
import { connectToNats, NatsStore } from '../../../src/server/cluster/nats-store.js';
import { decodeMachine, machineKey } from '../../../src/server/cluster/records.js';
import { scrapeCluster, TestCluster, type TestNode } from '../../support/cluster.js';
import { NO_NATS } from '../../support/nats.js';
import { southbridgeBeside } from '../../support/program.js';
import { tier } from '../../support/tier.js';

const skip = tier.triesCluster ? NO_NATS : 'not in this tier';

const MAIN_COUNTER = '0xfed000f0';

/** The stores of a cluster, independently of its nodes. */
async function storesOf(t: Test, servers: readonly string[]) {
  const options = { servers, replicas: 1, prefix: 'southbridge', timeoutMs: 5000 };
  const connection = await connectToNats(options);
  t.teardown(() => connection.close());
  const records = await NatsStore.open(connection, 'machines', options);
  const checkpoints = await NatsStore.open(connection, 'checkpoints', options);
  /** The key of the checkpoint that counts. */
  const checkpointOf = async (machine: string) => {
    const entry = await records.get(machineKey(machine));
    return decodeMachine(entry?.value as Uint8Array).checkpoint;
  };
  /** Replaces a checkpoint, as no node does; returns what it was. */
  const replace = async (key: string, value: Uint8Array) => {
    const entry = await checkpoints.get(key);
    await checkpoints.update(key, value, entry?.revision as number);
    return entry?.value as Uint8Array;
  };
  return { records, checkpointOf, replace };
}

/** Asks until a machine is unstartable. */
async function untilUnstartable(node: TestNode, machine: string) {
  for (;;) {
    const { status, body } = await node.request('GET', `/v1/machines/${machine}`);
    if (body.error?.code === 'machine-unstartable') return { status, error: body.error };
  }
}

t.test('machines whose checkpoints are damaged', { skip }, async (t) => {
  const { nodes, nats } = await TestCluster.start(t, 2, {}, 1);
  const [first, second] = nodes;
  const { records, checkpointOf, replace } = await storesOf(t, nats.urls);
  for (const name of ['mended', 'deleted', 'other'])
    t.equal((await first.request('POST', '/v1/machines', { name, clock: 'manual' })).status, 201);
  const path = '/v1/machines/mended';
  await first.request('PUT', `${path}/mmio/${MAIN_COUNTER}?size=8`, { value: '0x77' });
  t.equal(
    (await first.request('PUT', `${path}/snapshot`, (await first.request('GET', `${path}/snapshot`)).body)).status,
    200,
  );
  first.signal('SIGKILL');
  await first.exited;
  const key = await checkpointOf('mended');
  const good = await replace(key, new TextEncoder().encode('damaged\n'));
  // The whole checkpoint of another machine.
  await replace(await checkpointOf('deleted'), good);

  t.test('are in a named state, with the reason', async (t) => {
    const { status, error } = await untilUnstartable(second, 'mended');
    t.equal(status, 409);
    t.match(error, { machine: 'mended', node: 'n1', cause: 'checkpoint-damaged', reason: /first line/ });
    t.match(error.failures, [{ node: 'n1', code: 'checkpoint-damaged', reason: error.reason }]);
    t.match((await untilUnstartable(second, 'deleted')).error.reason, /it is of a machine mended/);
    // The steward names them with its next renewal.
    let list: { machines: { name: string }[]; unstartable?: { machine: string }[] };
    do list = (await second.request('GET', '/v1/machines')).body;
    while (list.unstartable?.length !== 2);
    t.strictSame(
      list.machines.map(({ name }) => name),
      ['other'],
    );
    t.match(
      list.unstartable.sort((a, b) => (a.machine < b.machine ? -1 : 1)),
      [
        { machine: 'deleted', error: { code: 'machine-unstartable' } },
        { machine: 'mended', error },
      ],
    );
  });

  t.test('are named by GET /v1/cluster, and so is the node that is gone', async (t) => {
    const { body } = await second.request('GET', '/v1/cluster');
    t.match(body.placement, { steward: 'n1', unstartable: 2, withoutOwner: 0 });
    t.strictSame(body.unstartable.map(({ machine }: { machine: string }) => machine).sort(), ['deleted', 'mended']);
    t.match(body.gone, [{ node: 'n0', address: first.url, goneMs: Number }]);
    const metrics = await scrapeCluster(second);
    const value = (name: string) => metrics.get(`southbridge_cluster_${name}{node="n1"}`);
    t.strictSame([value('machines_unstartable'), value('machines_without_owner'), value('machines')], [2, 0, 1]);
    t.strictSame([value('nodes'), value('nodes_lost_total')], [1, 1]);
    const { stdout } = await southbridgeBeside(['cluster', 'nodes', '--url', second.url]);
    t.match(stdout, /^n1 http.*\nn0 \S+ has had no lease for [\d.]+ s\nMachine .*cannot be started.*\nMachine /);
  });

  t.test('are refused, except for another try and DELETE', async (t) => {
    const answers = [
      await second.request('POST', `${path}/pause`, {}),
      await second.request('GET', `${path}/snapshot`),
      await second.request('POST', `${path}/migrate`, { node: 'n1' }),
    ];
    for (const { status, body } of answers)
      t.match({ status, body }, { status: 409, body: { error: { code: 'machine-unstartable' } } });
    const unknown = await second.request('POST', `${path}/migrate`, { node: 'nowhere' });
    t.equal(unknown.body.error.code, 'unknown-node');
  });

  t.test('are started by another try once the checkpoint is whole', async (t) => {
    await replace(key, good);
    t.equal((await second.request('POST', `${path}/migrate`, { node: 'n1' })).status, 204);
    t.equal(Number((await second.request('GET', `${path}/mmio/${MAIN_COUNTER}?size=8`)).body.value), 0x77);
  });

  t.test('are deleted, and their events end', async (t) => {
    const reader = await fetch(`${second.url}/v1/machines/deleted/irqs/events`);
    t.equal(reader.status, 200, 'also while no node runs the machine');
    t.equal((await second.request('DELETE', '/v1/machines/deleted')).status, 204);
    t.match(await reader.text(), /^event: hello/m, 'the stream ended');
    t.equal(await records.get(machineKey('deleted')), undefined);
    t.equal((await second.request('GET', '/v1/machines/deleted')).body.error.code, 'unknown-machine');
    t.notOk((await second.request('GET', '/v1/machines')).body.unstartable);
    t.equal((await second.request('DELETE', '/v1/machines/deleted')).status, 404);
    t.equal((await second.request('POST', '/v1/machines', { name: 'deleted' })).status, 201);
  });
});
