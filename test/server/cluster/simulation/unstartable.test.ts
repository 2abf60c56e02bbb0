import t from 'tap';
import { ClusterNode } from '../../../../src/server/cluster/node.js';
import { decodeMachine, machineKey } from '../../../../src/server/cluster/records.js';
import { Unstartable } from '../../../../src/server/cluster/unstartable.js';
import { Random } from '../../../support/random.js';
import { SimulatedCluster } from './cluster.js';
import { World } from './world.js';

const MACHINES = ['m0', 'm1', 'm2', 'm3'];
const BAD = MACHINES[0];
const MS = 60_000;

/** Nodes with a damaged machine among others, once the node that made all of them was killed. */
async function afterLoss(nodes: number, seed: number) {
  const world = new World(new Random(seed));
  const cluster = new SimulatedCluster(
    world,
    {
      nodes,
      machines: MACHINES.length,
      times: { ttl: 3000, margin: 600 },
      network: { delay: 1, slowest: 20, slow: 0.02, lost: 0, repeated: 0 },
      drift: 0.02,
      checksFrames: true,
      actionMs: 1e9,
    },
    ClusterNode,
  );
  for (let index = 0; index < nodes; index++) cluster.start(`n${index}`);
  await new Promise(setImmediate);
  await world.run(2000);
  const first = cluster.nodes.get('n0');
  for (const machine of MACHINES) first?.create(machine);
  await new Promise(setImmediate);
  await world.run(4000);
  cluster.damaged.add(BAD);
  cluster.kill('n0');
  await world.run(world.now + MS);
  const record = () => decodeMachine(cluster.records.get(machineKey(BAD))?.value as Uint8Array);
  /** What each node sees of the surveys. */
  const surveys = () =>
    [...cluster.nodes.values()].map(({ node }) => [...node.members].flatMap(({ survey }) => survey ?? []));
  return { world, cluster, record, surveys };
}

for (const [nodes, tries] of [
  [2, 1],
  [3, 2],
  [4, 3],
  [6, 3],
]) {
  t.test(`a machine that no node can start is unstartable after ${tries} of ${nodes - 1} nodes`, async (t) => {
    for (let seed = 1; seed <= 5; seed++) {
      const { cluster, record, surveys } = await afterLoss(nodes, seed);
      const tried = cluster.failedStarts.map(({ node }) => node);
      t.equal(tried.length, tries, `seed ${seed}: tried on ${tried}`);
      t.equal(new Set(tried).size, tries, 'each on another node');
      const { owner, failures = [] } = record();
      t.equal(owner, undefined);
      t.strictSame(
        failures.map(({ node, code, reason }) => ({ node, code, reason })),
        tried.map((node) => ({ node, code: 'damaged', reason: BAD })),
      );
      t.strictSame(cluster.withoutOwner, [BAD], 'the others run');
      for (const seen of surveys()) t.strictSame(seen, [{ withoutOwner: 0, unstartable: 1, names: [BAD] }]);
      t.strictSame(cluster.violations, []);
    }
  });
}

t.test('a node that joins tries as well, until three have', async (t) => {
  const { world, cluster } = await afterLoss(2, 1);
  for (const tries of [2, 3, 3]) {
    cluster.start(`joined-${world.now}`);
    await world.run(world.now + MS);
    t.equal(cluster.failedStarts.length, tries);
  }
});

t.test('what failed is forgotten with the next checkpoint', async (t) => {
  const { world, cluster, record, surveys } = await afterLoss(5, 1);
  cluster.damaged.delete(BAD);
  await world.run(world.now + MS);
  t.equal(record().owner, undefined, 'no node tries by itself');
  const target = [...cluster.nodes.values()][0];
  const entry = cluster.records.get(machineKey(BAD));
  if (!entry) throw new Error('no record');
  const offered = target.node.offered([entry]);
  await new Promise(setImmediate);
  await world.run(world.now + MS);
  t.equal(await offered, 1);
  t.equal(record().owner?.node, target.name);
  t.equal(record().failures?.length, 3, 'it may still fail before its first checkpoint');
  const committed = target.node.get(BAD)?.commit(new TextEncoder().encode(JSON.stringify({ machine: BAD, count: 2 })));
  await world.run(world.now + MS);
  await committed;
  t.equal(record().failures, undefined);
  t.strictSame(surveys()[0], [{ withoutOwner: 0, unstartable: 0, names: [] }]);
});

t.test('a deletion that fails midway leaves the machine unstartable, and can be tried again', async (t) => {
  const { world, cluster, record } = await afterLoss(5, 1);
  const [{ node }] = cluster.nodes.values();
  const deletion = async (end: () => Promise<void>) => {
    const ended = new Unstartable(node, { end }).delete(BAD).then(
      () => 'deleted',
      ({ code }) => code,
    );
    await new Promise(setImmediate);
    await world.run(world.now + MS);
    return ended;
  };
  t.equal(await deletion(() => Promise.reject(new Error('timeout'))), 'cluster-not-answering');
  t.equal(record().owner, undefined);
  t.equal(record().failures?.length, 3);
  t.equal(await deletion(() => Promise.resolve()), 'deleted');
  t.equal(cluster.records.get(machineKey(BAD))?.value.length ?? 0, 0, 'it is gone');
});
