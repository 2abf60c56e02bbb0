import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import t, { type Test } from 'tap';
import { ownerOf, TestCluster, type TestNode } from '../../support/cluster.js';
import { NO_NATS } from '../../support/nats.js';
import { tier } from '../../support/tier.js';
import { VcpuClient } from '../../support/vcpu-client.js';

const skip = tier.triesCluster ? NO_NATS : 'not in this tier';

const COMPARATOR = '0xfed00108';
const MACHINE = '/v1/machines/m';

/** A stream of events: its head, and each chunk as it arrives. */
async function eventSource(t: Test, node: TestNode): Promise<IncomingMessage> {
  const sent = httpRequest(`${node.url}${MACHINE}/irqs/events`).end();
  t.teardown(() => sent.destroy());
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  answer.setEncoding('utf8');
  return answer;
}

async function until(stream: IncomingMessage, pattern: RegExp): Promise<string> {
  let text = '';
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    text += chunk;
    if (pattern.test(text)) return text;
  }
  throw new Error(`the stream ended: ${text}`);
}

t.test('any node answers for any machine', { skip }, async (t) => {
  const { nodes } = await TestCluster.start(t, 3, {}, 1);
  const [owner, other, third] = nodes;
  for (const [index, node] of nodes.entries()) {
    const name = index === 0 ? 'm' : `m${index}`;
    t.equal((await node.request('POST', '/v1/machines', { name, clock: 'manual' })).status, 201);
  }

  t.test('requests go to the owner, and answers come back as it gave them', async (t) => {
    const requests: readonly [method: string, path: string, body?: unknown][] = [
      ['GET', ''],
      ['PUT', `/mmio/${COMPARATOR}?size=8`, { value: '0x1234' }],
      ['GET', `/mmio/${COMPARATOR}?size=8`],
      ['POST', '/mmio', { accesses: [{ type: 'read', address: COMPARATOR, size: 8 }] }],
      ['GET', '/irqs'],
      ['GET', '/vcpus/0'],
      ['POST', '/pause', {}],
      ['POST', '/resume'],
      ['POST', '/clock', { ns: -1 }],
      ['GET', '/mmio/nonsense'],
      ['GET', '/hpet?key=unknown'],
      ['GET', '/nowhere'],
      ['PATCH', ''],
    ];
    for (const [method, path, body] of requests) {
      const direct = await owner.request(method, MACHINE + path, body);
      const routed = await other.request(method, MACHINE + path, body);
      t.equal(routed.status, direct.status, `${method} ${path}`);
      t.strictSame(routed.body, direct.body, `${method} ${path}`);
    }
    t.equal((await owner.request('GET', `${MACHINE}/mmio/${COMPARATOR}?size=8`)).body.value, '0x0000000000001234');
  });

  t.test('snapshots pass in both directions', async (t) => {
    const { body } = await other.request('GET', `${MACHINE}/snapshot`);
    t.equal((await owner.request('PUT', `${MACHINE}/mmio/${COMPARATOR}?size=8`, { value: '0x1' })).status, 204);
    t.equal((await third.request('PUT', `${MACHINE}/snapshot`, body)).status, 200);
    const { body: read } = await other.request('GET', `${MACHINE}/mmio/${COMPARATOR}?size=8`);
    t.equal(read.value, '0x0000000000001234');
  });

  t.test('a stream of events is not held back', async (t) => {
    const stream = await eventSource(t, other);
    t.match(stream.headers['content-type'], 'text/event-stream');
    t.equal((await third.request('POST', `${MACHINE}/lines/3`, { level: 1 })).status, 204);
    t.match(await until(stream, /"gsi":3/), /"gsi":3/);
  });

  t.test('a request with `redirect` is sent to the owner by its client', async (t) => {
    const path = `${MACHINE}/mmio/${COMPARATOR}`;
    const moved = await other.request('GET', `${path}?size=8&redirect=true`);
    t.equal(moved.status, 307);
    t.equal(moved.headers.get('location'), `${owner.url}${path}?size=8`);
    t.equal((await owner.request('GET', `${path}?redirect=true&size=8`)).status, 200, 'the owner answers');
    t.equal((await other.request('GET', `${path}?redirect=false`)).status, 200);
    const wrong = await other.request('GET', `${path}?redirect=1`);
    t.equal(wrong.status, 400);
    t.equal(wrong.body.error.code, 'bad-value');
  });

  t.test('lists have the machines of all nodes', async (t) => {
    for (const node of nodes) {
      const { machines, unreachable } = (await node.request('GET', '/v1/machines')).body;
      const owners = machines.map(({ name, node: owner }: { name: string; node: string }) => `${name} ${owner}`);
      t.strictSame(owners.sort(), ['m n0', 'm1 n1', 'm2 n2']);
      t.equal(unreachable, undefined);
    }
  });

  t.test('a machine that no node has is unknown to all', async (t) => {
    for (const node of nodes) {
      const { status, body } = await node.request('GET', '/v1/machines/none');
      t.equal(status, 404);
      t.equal(body.error.code, 'unknown-machine');
    }
  });

  const url = `${other.url.replace('http', 'ws')}${MACHINE}/vcpus/0`;

  t.test('frames pass unchanged, with close codes and refusals', async (t) => {
    const vcpu = await VcpuClient.connect(url);
    vcpu.socket.send(JSON.stringify({ type: 'read', id: 7, address: COMPARATOR, size: 8 }));
    await vcpu.next((message) => message.id === 7);
    t.match(await VcpuClient.connect(url).catch((error) => error), {
      status: 409,
      body: { error: { code: 'vcpu-taken' } },
    });
    const unknown = VcpuClient.connect(url.replace('/m/', '/none/'));
    t.match(await unknown.catch((error) => error), { status: 404 });
    const direct = await VcpuClient.connect(`${owner.url.replace('http', 'ws')}${MACHINE}/vcpus/0`, {
      resumeToken: vcpu.received[0].resumeToken,
    });
    t.strictSame(await vcpu.closed, { code: 4001, reason: 'vcpu-replaced' });
    direct.socket.close();
  });

  t.test('a client that does not read holds up the owner, which sends no more', async (t) => {
    const vcpu = await VcpuClient.connect(url);
    vcpu.socket.pause();
    const frame = JSON.stringify({
      type: 'batch',
      id: 1,
      accesses: Array.from({ length: 1000 }, () => ({ type: 'read', address: COMPARATOR, size: 8 })),
    });
    const congestions = async () =>
      Number(/southbridge_congestions_total\{kind="vcpu"\} (\d+)/.exec(await text(`${owner.url}/metrics`))?.[1] ?? 0);
    const before = await congestions();
    for (let sent = 0; (await congestions()) === before && sent < 3000; sent += 100)
      for (let i = 0; i < 100; i++) vcpu.socket.send(frame);
    t.ok((await congestions()) > before, 'the owner waits for the client');
    vcpu.socket.terminate();
  });

  t.test('machines move, are drained and deleted through any node', async (t) => {
    t.equal((await third.request('POST', `${MACHINE}/migrate`, { node: 'n1' })).status, 204);
    t.ok(await other.owns('m'));
    for (const node of nodes) {
      const { body } = await node.request('GET', `${MACHINE}/mmio/${COMPARATOR}?size=8`);
      t.equal(body.value, '0x0000000000001234', `${node.name} finds the new owner`);
    }
    t.strictSame((await owner.request('POST', '/v1/cluster/drain', { node: 'n1' })).body, { stayed: 0 });
    t.notOk(await other.owns('m'));
    t.equal((await other.request('POST', '/v1/cluster/drain', { node: 'n9' })).body.error.code, 'unknown-node');
    t.equal((await other.request('DELETE', MACHINE)).status, 204);
    t.equal((await third.request('GET', MACHINE)).status, 404);
  });

  t.test('a client is told why a machine cannot be reached', async (t) => {
    t.equal((await third.request('POST', '/v1/machines', { name: 'lost', clock: 'manual' })).status, 201);
    const path = '/v1/machines/lost';
    t.equal((await owner.request('GET', path)).status, 200);
    const stream = await VcpuClient.connect(`${owner.url.replace('http', 'ws')}${path}/vcpus/0`);
    third.signal('SIGSTOP');
    const waiting = await owner.request('GET', path);
    t.equal(waiting.body.error.code, 'node-unreachable', 'it ends with the lease of the owner');
    t.equal(waiting.status, 502);
    t.equal((await stream.closed).code, 1006);
    const codes = new Set<string>();
    for (let status = 0; status !== 200; ) {
      const reply = await owner.request('GET', path);
      status = reply.status;
      if (status === 503) {
        t.equal(reply.headers.get('retry-after'), '1');
        codes.add(reply.body.error.code);
      }
    }
    t.strictSame(
      [...codes].filter((code) => code !== 'owner-unknown'),
      [],
    );
    third.signal('SIGCONT');
    await ownerOf('lost', [owner, other]);
  });
});

async function text(url: string): Promise<string> {
  return (await fetch(url)).text();
}
