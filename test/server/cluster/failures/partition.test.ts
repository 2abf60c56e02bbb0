import { setTimeout } from 'node:timers/promises';
import t from 'tap';
import { FailingCluster } from '../../../support/failing-cluster.js';
import { type Direction, HeldProxy } from '../../../support/held-proxy.js';
import { NatsCluster, NO_NATS } from '../../../support/nats.js';
import { tier } from '../../../support/tier.js';

const MACHINES = tier.failingMachines;
const skip = MACHINES > 0 ? NO_NATS : 'in the tier long only; the simulation has partitions in every tier';

const PARTITIONS: { readonly [name: string]: readonly Direction[] } = {
  'in both directions': ['up', 'down'],
  'of what it sends': ['up'],
  'of what it receives': ['down'],
};

for (const [name, directions] of Object.entries(PARTITIONS)) {
  t.test(`a node loses its connection to NATS: ${name}`, { skip }, async (t) => {
    const nats = await NatsCluster.start(t, 3);
    const proxies = await Promise.all(nats.urls.map((url) => HeldProxy.start(t, Number(new URL(url).port))));
    const urls = proxies.map((proxy) => proxy.url);
    const urlsOf = (node: number) => (node === 0 ? urls : nats.urls);
    const cluster = await FailingCluster.start(t, MACHINES, { nats, urlsOf });
    const [cut, second, third] = cluster.nodes;
    for (const proxy of proxies) proxy.hold(...directions);
    const ms = await cluster.runsOn([second, third]);
    t.equal((await cut.request('GET', '/readyz')).status, 503);
    const { status, body } = await cut.request('GET', '/v1/machines');
    t.equal(status, 503);
    t.equal(body.error.code, 'lease-lost');
    cluster.nodes = [second, third];
    await cluster.continues();
    await cluster.marks();
    for (const proxy of proxies) proxy.hold();
    while ((await cut.request('GET', '/readyz')).status !== 200) await setTimeout(100);
    cluster.nodes = [cut, second, third];
    await cluster.continues();
    const { restored } = await cluster.finish(`partition ${name}, all machines after ${Math.round(ms)} ms`);
    t.equal(restored, Math.ceil(MACHINES / 3));
  });
}
