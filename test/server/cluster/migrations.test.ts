import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import t from 'tap';
import { TestCluster } from '../../support/cluster.js';
import { watchFences } from '../../support/fences.js';
import { migrate, percentile } from '../../support/migrations.js';
import { NO_NATS } from '../../support/nats.js';
import { tier } from '../../support/tier.js';

const skip = tier.migrations > 0 ? NO_NATS : 'in the tier long only; server/cluster/migration has a few';

/** Sequence numbers of the interrupts of a machine in the stream of events, each record once. */
async function streamed(url: string, machine: string): Promise<number[]> {
  const connection = await connect({ servers: url });
  const numbers: number[] = [];
  try {
    const { state } = await (await jetstreamManager(connection)).streams.info('southbridge-events');
    const consumer = await jetstream(connection).consumers.get('southbridge-events');
    for (let read = 0; read < state.messages; read++) {
      const message = await consumer.next();
      if (message?.subject !== `southbridge.${machine}.irq`) continue;
      const { events = [] } = message.json<{
        events?: { sequence: string; kind?: string; event?: { kind: string } }[];
      }>();
      for (const { sequence, kind, event } of events)
        if ((kind ?? event?.kind) === 'apic') numbers.push(Number(sequence));
    }
  } finally {
    await connection.close();
  }
  return numbers;
}

t.test('a machine moves under load, and every interrupt arrives once', { skip }, async (t) => {
  const { nodes, nats } = await TestCluster.start(t, 2, { cluster: { eventRecords: 1_000_000 } } as never, 1);
  const fences = await watchFences(t, nats.urls);
  t.equal((await nodes[0].request('POST', '/v1/machines', { name: 'm', vcpus: 1 })).status, 201);
  const { pauses, operations, edges, received, wrong } = await migrate(nodes, 'm', tier.migrations);
  t.comment(
    `${pauses.length} migrations, ${operations} operations; pause p50 ${percentile(pauses, 0.5).toFixed(1)} ms, p99 ${percentile(pauses, 0.99).toFixed(1)} ms, longest ${pauses.at(-1)?.toFixed(1)} ms`,
  );
  t.strictSame(wrong, []);
  t.equal(received.length, edges, 'an interrupt for each edge');
  t.ok(
    received.every((sequence, index) => index === 0 || sequence > received[index - 1]),
    'in order, none twice',
  );
  const { violations } = await fences.settled();
  t.strictSame(violations, []);
  t.strictSame(await streamed(nats.urls[0], 'm'), received, 'the stream has the same');
});
