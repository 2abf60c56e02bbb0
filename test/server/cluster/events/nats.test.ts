import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import t, { type Test } from 'tap';
import { decodeRecord } from '../../../../src/server/cluster/events/records.js';
import { TestCluster } from '../../../support/cluster.js';
import { EventSourceClient } from '../../../support/event-source-client.js';
import { NO_NATS } from '../../../support/nats.js';
import { tier } from '../../../support/tier.js';

const skip = tier.triesCluster ? NO_NATS : 'not in this tier';

t.test('events of machines in JetStream', { skip }, async (t) => {
  const { nodes, nats } = await TestCluster.start(t, 2, {
    // No checkpoint follows the migration.
    stateIntervalMs: 60_000,
    cluster: { eventRecords: 50, eventHours: 2 },
  });
  const [first, second] = nodes;
  const name = 'a.b';
  const path = `/v1/machines/${name}`;
  t.equal((await first.request('POST', '/v1/machines', { name, clock: 'manual' })).status, 201);
  let owner = first;
  const pulse = async (t: Test, count: number) => {
    for (let n = 0; n < count; n++) {
      const { status, body } = await owner.request('POST', `${path}/lines/20`, { level: n & 1 ? 0 : 1 });
      t.equal(status, 204, JSON.stringify(body));
    }
  };
  const connection = await connect({ servers: nats.urls });
  t.teardown(() => connection.close());
  const client = jetstream(connection);

  /** All records, as any subscriber reads them. */
  const records = async () => {
    const manager = await jetstreamManager(connection);
    const { state, config } = await manager.streams.info('southbridge-events');
    const consumer = await client.consumers.get('southbridge-events', { filter_subjects: 'southbridge.a=2eb.irq' });
    const all: ReturnType<typeof decodeRecord>[] = [];
    for await (const message of await consumer.consume()) {
      all.push(decodeRecord(message.data));
      if (message.seq >= state.last_seq) break;
    }
    return { all, config };
  };
  const isIrq = (sequence: number) => (message: { type: string; sequence?: string }) =>
    message.type === 'irq' && Number(message.sequence) === sequence;

  const readers = await Promise.all(nodes.map(({ url }) => EventSourceClient.connect(`${url}${path}/irqs/events`)));

  t.test('any node sends them, and a reader that comes back goes on', async (t) => {
    await pulse(t, 6);
    for (const reader of readers) await reader.next(isIrq(6));
    t.strictSame(readers[0].received, readers[1].received);
    t.strictSame(readers[0].ids, readers[1].ids);
    const { body } = await first.request('GET', path);
    const url = `${second.url}${path}/irqs/events`;
    const again = await EventSourceClient.connect(url, { 'last-event-id': `${body.epoch}:4` });
    await again.next(isIrq(6));
    t.match(again.received.slice(1), [{ sequence: '5' }, { sequence: '6' }]);
    await again.close();
    const chosen = await EventSourceClient.connect(`${url}?after=0&kind=line&gsi=20`);
    await chosen.next(isIrq(6));
    t.ok(chosen.received.slice(1).every(({ kind, gsi }) => kind === 'line' && gsi === 20));
    await chosen.close();
    const unknown = await second.request('GET', '/v1/machines/none/irqs/events');
    t.equal(unknown.status, 404);
    t.equal(unknown.body.error.code, 'unknown-machine');
  });

  t.test('they go on behind a migration and a crash', async (t) => {
    t.equal((await first.request('POST', `${path}/migrate`, { node: 'n1' })).status, 204);
    owner = second;
    await pulse(t, 2);
    for (const reader of readers) await reader.next(isIrq(8));
    t.notOk(
      readers[0].received.some(({ type }) => type === 'gap'),
      'without a gap: the epoch goes on',
    );
    second.signal('SIGKILL');
    const gap = await readers[0].next(({ type }) => type === 'gap');
    t.equal(gap.from, '9');
    owner = first;
    // The line has the level of the last checkpoint.
    await pulse(t, 2);
    await readers[0].next(isIrq(Number(gap.to) + 1));
  });

  t.test('records are kept within bounds, in order of the fences', async (t) => {
    const { all, config } = await records();
    t.match(config, { max_msgs_per_subject: 50, max_age: 2 * 3_600_000 * 1e6, num_replicas: 3 });
    t.ok(all.every(({ machine }) => machine === name));
    const fences = all.map(({ fence }) => fence);
    t.strictSame(
      fences,
      fences.toSorted((a, b) => a - b),
    );
    t.equal(new Set(fences).size, 3);
    t.strictSame([...new Set(all.map(({ node }) => node))], ['n0', 'n1']);
  });

  t.test('a deletion ends the stream', async (t) => {
    t.equal((await first.request('DELETE', path)).status, 204);
    await readers[0].ended;
    t.equal((await records()).all.at(-1)?.type, 'end');
  });
});
