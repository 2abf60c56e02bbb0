import t from 'tap';
import type { EventPublishers } from '../../../../src/server/cluster/events/event-publishers.js';
import { describeGone, describeNodes, describePlacement, figuresOf } from '../../../../src/server/cluster/figures.js';
import { ClusterNode } from '../../../../src/server/cluster/node.js';
import { Random } from '../../../support/random.js';
import { SimulatedCluster } from './cluster.js';
import { World } from './world.js';

const TTL = 3000;
const publishers = { waiting: 3, missed: 4 } as EventPublishers;

t.test('the figures of nodes follow the loss of one, and its return', async (t) => {
  for (let seed = 1; seed <= 10; seed++) {
    const world = new World(new Random(seed));
    const network = { delay: 1, slowest: 20, slow: 0.02, lost: 0, repeated: 0 };
    const options = { nodes: 3, machines: 3, times: { ttl: TTL, margin: 600 }, network, drift: 0.02 };
    const cluster = new SimulatedCluster(world, { ...options, checksFrames: true, actionMs: 1e9 }, ClusterNode);
    const hosts = ['a', 'b', 'c'].map((name) => cluster.start(name));
    const [cut, ...others] = hosts;
    const run = async (ms: number) => {
      await new Promise(setImmediate);
      await world.run(world.now + ms);
    };
    const figures = () => hosts.map(({ node }) => figuresOf(node, publishers));
    const sum = (key: 'nodesLost' | 'leasesLost' | 'claims' | 'machines') =>
      figures().reduce((total, each) => total + each[key], 0);
    await run(2000);
    hosts.forEach((host, index) => void host.create(`m${index}`));
    await run(2000);
    for (const each of figures()) {
      t.match(each, { isStoreUp: true, nodes: 3, nodesLost: 0, leasesLost: 0, machines: 1, claims: 0 });
      t.match(each, { eventsWaiting: 3, eventsMissed: 4 });
      t.ok(each.leaseRemaining > TTL / 2 && each.leaseRemaining <= TTL, `${each.leaseRemaining} ms remain`);
    }
    for (const { node } of hosts) {
      t.match(
        describeNodes(node).map(({ node, state, machines }) => ({ node, state, machines })),
        ['a', 'b', 'c'].map((name) => ({ node: name, state: 'open', machines: 1 })),
      );
      t.match(describePlacement(node), { steward: 'a', owned: 3, withoutOwner: 0, unstartable: 0 });
    }

    Object.assign(cut.process, { sendsNothing: true, getsNothing: true });
    await run(TTL * 0.8);
    const [before] = figures();
    t.match(before, { isStoreUp: false, leasesLost: 0, machines: 1 }, 'no quorum, but still a lease');
    t.equal(describeNodes(others[0].node)[0].state, 'late');
    await run(3 * TTL);
    t.match(figures()[0], { isStoreUp: false, leaseRemaining: 0, leasesLost: 1, machines: 0 });
    t.equal(sum('nodesLost'), 1, 'one node closed the lease');
    t.equal(sum('claims'), 1);
    t.equal(sum('machines'), 3);
    for (const { node } of others) {
      t.strictSame(
        describeNodes(node).map((each) => each.node),
        ['b', 'c'],
      );
      const [gone] = describeGone(node);
      t.equal(gone.node, 'a');
      t.ok(gone.goneMs > TTL && gone.goneMs < 3 * TTL, `gone for ${gone.goneMs} ms`);
      t.match(describePlacement(node), { steward: 'b', owned: 3, withoutOwner: 0 });
    }

    Object.assign(cut.process, { sendsNothing: false, getsNothing: false });
    await run(2 * TTL);
    t.match(figures()[0], { isStoreUp: true, leasesLost: 1, nodes: 3 });
    for (const { node } of hosts) t.strictSame(describeGone(node), []);
    t.strictSame(cluster.violations, []);
  }
});
