import t, { type Test } from 'tap';
import { connectToNats, NatsStore } from '../../../src/server/cluster/nats-store.js';
import { decodeMachine, machineKey } from '../../../src/server/cluster/records.js';
import { ownerOf, TestCluster, type TestNode } from '../../support/cluster.js';
import { watchFences } from '../../support/fences.js';
import { NO_NATS } from '../../support/nats.js';
import { tier } from '../../support/tier.js';
import { VcpuClient } from '../../support/vcpu-client.js';

const skip = tier.triesCluster ? NO_NATS : 'not in this tier';

const MAIN_COUNTER = '0xfed000f0';
const CONFIGURATION = '0xfed00010';

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

/** The fence of a machine in its record. */
async function fenceReader(t: Test, urls: readonly string[]) {
  const options = { servers: urls, replicas: 3, prefix: 'southbridge', timeoutMs: 5000 };
  const connection = await connectToNats(options);
  t.teardown(() => connection.close());
  const store = await NatsStore.open(connection, 'machines', options);
  return async (machine: string) => {
    const entry = await store.get(machineKey(machine));
    return entry && (decodeMachine(entry.value).fence || entry.revision);
  };
}

t.test('three nodes with a machine each', { skip }, async (t) => {
  const { nodes, nats } = await TestCluster.start(t, 3);
  const fenceOf = await fenceReader(t, nats.urls);
  const fences = await watchFences(t, nats.urls);
  const marks = new Map<string, number>();

  /** Sets the main counter, durably. */
  const mark = async (node: TestNode, machine: string, value: number) => {
    const path = `/v1/machines/${machine}`;
    const written = await node.request('PUT', `${path}/mmio/${MAIN_COUNTER}?size=8`, { value: hex(value) });
    t.equal(written.status, 204, JSON.stringify(written.body));
    const { body } = await node.request('GET', `${path}/snapshot`);
    const { status } = await node.request('PUT', `${path}/snapshot`, body);
    t.equal(status, 200);
    marks.set(machine, value);
  };
  const markOf = async (node: TestNode, machine: string) =>
    Number((await node.request('GET', `/v1/machines/${machine}/mmio/${MAIN_COUNTER}?size=8`)).body.value);

  for (const [index, node] of nodes.entries()) {
    const { status, body } = await node.request('POST', '/v1/machines', { name: `m${index}`, clock: 'manual' });
    t.equal(status, 201, JSON.stringify(body));
    await mark(node, `m${index}`, 1000 + index);
  }

  t.test('a name is taken in the whole cluster', async (t) => {
    const { status, body } = await nodes[1].request('POST', '/v1/machines', { name: 'm0' });
    t.equal(status, 409);
    t.equal(body.error.code, 'machine-exists');
  });

  t.test('a deleted machine is gone from the store', async (t) => {
    t.equal((await nodes[2].request('POST', '/v1/machines', { name: 'short' })).status, 201);
    t.ok(await fenceOf('short'));
    t.equal((await nodes[2].request('DELETE', '/v1/machines/short')).status, 204);
    t.equal(await fenceOf('short'), undefined);
  });

  t.test('the machine of a node that is killed continues on another one', async (t) => {
    const [before, { body: old }] = [await fenceOf('m0'), await nodes[0].request('GET', '/v1/machines/m0')];
    const began = performance.now();
    nodes[0].signal('SIGKILL');
    const owner = await ownerOf('m0', nodes.slice(1));
    t.comment(`after ${Math.round(performance.now() - began)} ms`);
    t.equal(await markOf(owner, 'm0'), marks.get('m0'), 'with its state');
    t.ok(Number(await fenceOf('m0')) > Number(before), 'under a greater fence');
    const { body } = await owner.request('GET', '/v1/machines/m0');
    t.not(body.epoch, old.epoch, 'in a new epoch');
    await mark(owner, 'm0', 2000);
  });

  t.test('nothing of a node that was stopped past its lease is accepted', async (t) => {
    const [, stopped, other] = nodes;
    const path = stopped.url.replace('http', 'ws');
    const vcpu = await VcpuClient.connect(`${path}/v1/machines/m1/vcpus/0`);
    stopped.signal('SIGSTOP');
    const owner = await ownerOf('m1', [other]);
    const fence = await fenceOf('m1');
    await mark(owner, 'm1', 3000);
    const count = vcpu.received.length;
    vcpu.socket.send(JSON.stringify({ type: 'read', id: 77, address: MAIN_COUNTER, size: 8 }));
    const late = stopped.request('PUT', `/v1/machines/m1/mmio/${CONFIGURATION}?size=8`, { value: '0x1' });
    stopped.signal('SIGCONT');
    t.strictSame(await vcpu.closed, { code: 1001, reason: 'machine-moved' });
    t.equal(vcpu.received.length, count, 'no frame');
    t.not((await late).status, 204);
    t.equal(await markOf(owner, 'm1'), 3000);
    t.equal(await fenceOf('m1'), fence);
  });
  const { violations, messages } = await fences.settled();
  t.strictSame(violations, []);
  t.ok(messages >= 10, 'the checker has read what the nodes wrote');
});
