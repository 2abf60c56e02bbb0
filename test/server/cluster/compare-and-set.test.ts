import t from 'tap';
import { connectToNats, NatsStore } from '../../../src/server/cluster/nats-store.js';
import { type Change, Conflict } from '../../../src/server/cluster/store.js';
import { NatsCluster, NO_NATS } from '../../support/nats.js';
import { tier } from '../../support/tier.js';

const WRITERS = 3;

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function text(value: Uint8Array | undefined): string | undefined {
  return value && new TextDecoder().decode(value);
}

t.test('a store on three NATS servers', { skip: NO_NATS }, async (t) => {
  const { urls } = await NatsCluster.start(t);
  const open = async (index: number) => {
    // Each writer begins with a server of its own.
    const servers = [...urls.slice(index), ...urls.slice(0, index)].slice(0, 1);
    const options = { servers, replicas: 3, prefix: 'test', timeoutMs: 5000 };
    const connection = await connectToNats(options);
    t.teardown(() => connection.close());
    return NatsStore.open(connection, 'cas', options);
  };
  const stores: NatsStore[] = [];
  for (let index = 0; index < WRITERS; index++) stores.push(await open(index));
  const [store, other] = stores;

  t.test(`of ${WRITERS} writers with the same revision exactly one is acknowledged`, async (t) => {
    let revision = await store.create('cas.rounds', bytes('0'));
    const wrong: string[] = [];
    for (let round = 1; round <= tier.casRounds; round++) {
      const results = await Promise.allSettled(
        stores.map((each, writer) => each.update('cas.rounds', bytes(`${round} ${writer}`), revision)),
      );
      const winners = results.flatMap((result, writer) =>
        result.status === 'fulfilled' ? [{ writer, revision: result.value }] : [],
      );
      const others = results.filter((result) => result.status === 'rejected' && !(result.reason instanceof Conflict));
      const last = await store.get('cas.rounds');
      const [winner] = winners;
      if (winners.length !== 1 || others.length > 0 || text(last?.value) !== `${round} ${winner?.writer}`)
        wrong.push(
          `round ${round}: ${JSON.stringify({ winners, others: others.map(String), last: text(last?.value) })}`,
        );
      revision = last?.revision ?? 0;
    }
    t.strictSame(wrong, [], `${tier.casRounds} rounds`);
  });

  t.test('keys are created, listed, watched and deleted by their revisions', async (t) => {
    const changes: Change[] = [];
    const { promise: deleted, resolve } = withResolvers();
    const first = await store.create('thing.a', bytes('1'));
    const watch = await other.watch('thing.', (change) => {
      changes.push(change);
      if (change.value === undefined) resolve();
    });
    await t.rejects(other.create('thing.a', bytes('2')), Conflict);
    const second = await other.update('thing.a', bytes('3'), first);
    await store.create('thing.b.c', bytes('4'));
    await store.create('thingy', bytes('5'));
    t.ok(second > first);
    t.strictSame(
      (await store.list('thing.')).map(({ key, value }) => [key, text(value)]),
      [
        ['thing.a', '3'],
        ['thing.b.c', '4'],
      ],
    );
    t.strictSame(await store.list('nothing.'), []);
    t.strictSame(await store.keys('thing.'), ['thing.a', 'thing.b.c']);
    t.strictSame(await store.keys('nothing.'), []);
    await t.rejects(store.delete('thing.a', first), Conflict);
    await t.rejects(store.update('thing.a', bytes('6'), first), Conflict);
    await store.delete('thing.a', second);
    await deleted;
    watch.stop();
    t.strictSame(
      changes.map(({ key, value }) => [key, text(value)]),
      [
        ['thing.a', '1'],
        ['thing.a', '3'],
        ['thing.b.c', '4'],
        ['thing.a', undefined],
      ],
    );
    t.equal(await store.get('thing.a'), undefined);
    await t.rejects(store.update('thing.a', bytes('7'), second), Conflict, 'a late writer of a deleted key');
    const again = await store.create('thing.a', bytes('8'));
    t.ok(again > second, 'revisions go on over deletions');
  });
});

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
