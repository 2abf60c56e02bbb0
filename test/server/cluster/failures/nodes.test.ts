import { setTimeout } from 'node:timers/promises';
import t from 'tap';
import { FailingCluster } from '../../../support/failing-cluster.js';
import { NO_NATS } from '../../../support/nats.js';
import { tier } from '../../../support/tier.js';

const MACHINES = tier.failingMachines;
const skip = MACHINES > 0 ? NO_NATS : 'in the tier long only; server/cluster/failover has a sample of three machines';

/** All machines of a lost node run elsewhere within this time. */
const BOUND_MS = 10_000;
const LEASE_MS = 3000;

t.test('kill -9 of a node', { skip }, async (t) => {
  const cluster = await FailingCluster.start(t, MACHINES);
  const [lost, second, third] = cluster.nodes;
  const loads = [
    cluster.load(second, second, 20_000),
    cluster.load(second, third, 20_000),
    cluster.load(third, second, 20_000),
  ];
  await setTimeout(5000);
  await cluster.marks();
  lost.signal('SIGKILL');
  cluster.nodes = [second, third];
  const ms = await cluster.runsOn(cluster.nodes);
  t.ok(ms < BOUND_MS, `all machines run after ${Math.round(ms)} ms`);
  await cluster.continues();
  await Promise.all(loads);
  const { restored } = await cluster.finish(`kill -9 of a node, all machines after ${Math.round(ms)} ms`);
  t.equal(restored, Math.ceil(MACHINES / 3), 'the machines of the lost node have a new epoch, and no other');
});

t.test('a node is stopped for longer than its lease, and continues', { skip }, async (t) => {
  const cluster = await FailingCluster.start(t, MACHINES);
  const [stopped, second, third] = cluster.nodes;
  stopped.signal('SIGSTOP');
  const ms = await cluster.runsOn([second, third]);
  await setTimeout(LEASE_MS);
  await cluster.continues();
  await cluster.marks();
  stopped.signal('SIGCONT');
  await cluster.runsOn([second, third]);
  await cluster.continues();
  const { restored } = await cluster.finish(`SIGSTOP of a node, all machines after ${Math.round(ms)} ms`);
  t.equal(restored, Math.ceil(MACHINES / 3));
});

t.test('nodes are replaced one by one', { skip }, async (t) => {
  const cluster = await FailingCluster.start(t, MACHINES);
  for (let index = 0; index < 3; index++) {
    const old = cluster.nodes[index];
    const others = cluster.nodes.filter((node) => node !== old);
    old.signal('SIGTERM');
    t.equal(await old.exited, 0, old.log);
    await cluster.runsOn(others);
    cluster.nodes[index] = await old.again();
    await cluster.continues();
  }
  const { restored } = await cluster.finish('nodes replaced one by one');
  t.equal(restored, 0, 'nothing is lost');
});
