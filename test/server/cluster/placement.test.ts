import t from 'tap';
import { TestCluster } from '../../support/cluster.js';
import { NO_NATS } from '../../support/nats.js';
import { tier } from '../../support/tier.js';

const skip = tier.triesCluster ? NO_NATS : 'not in this tier';

t.test('new machines go to the node with the most room', { skip }, async (t) => {
  const { nodes } = await TestCluster.start(t, 2, { limits: { machines: 3 } }, 1);
  const [first, second] = nodes;
  const machines: string[] = [];
  // Past the helper's choice of a node.
  for (let n = 0; n < 6; n++) {
    const { status, body } = await first.request('POST', '/v1/machines?', { name: `m${n}` });
    t.equal(status, 201, JSON.stringify(body));
    machines.push(body.name);
  }
  for (const node of nodes) {
    const owned = await Promise.all(machines.map((machine) => node.owns(machine)));
    t.equal(owned.filter(Boolean).length, 3, node.name);
  }
  const full = await second.request('POST', '/v1/machines?node=n0', { name: 'more' });
  t.equal(full.status, 409, JSON.stringify(full.body));
  t.equal(full.body.error.code, 'too-many-machines');
  const unknown = await second.request('POST', '/v1/machines?node=nowhere', { name: 'more' });
  t.equal(unknown.body.error.code, 'unknown-node');
});

t.test('a machine goes to the next node if the first one refuses', { skip }, async (t) => {
  // Leases are renewed so rarely that they show room which is taken.
  const { nodes } = await TestCluster.start(
    t,
    2,
    { limits: { machines: 2 }, cluster: { leaseMs: 60_000 } } as never,
    1,
  );
  const [first, second] = nodes;
  for (const name of ['a', 'b']) t.equal((await second.request('POST', '/v1/machines', { name })).status, 201);
  for (const name of ['c', 'd']) {
    const { status, body } = await first.request('POST', '/v1/machines?', { name });
    t.equal(status, 201, JSON.stringify(body));
    t.ok(await first.owns(name));
  }
  const { status, body } = await first.request('POST', '/v1/machines?', { name: 'e' });
  t.equal(status, 503);
  t.equal(body.error.code, 'no-room');
  const named = await first.request('POST', '/v1/machines?node=n1', { name: 'e' });
  t.equal(named.body.error.code, 'too-many-machines', 'a node that is named is the only one that is asked');
});
