import t from 'tap';
import { writeEntry } from '../../support/guest.js';
import { provokeDeadlock } from '../../support/nested-deadlock.js';
import { TestServer } from '../../support/server.js';

const PIN = 4;
const VECTOR = 0x44;
/** Requests in flight at a time, each of which raises or lowers a line. */
const WINDOW = 16;

t.test('requests of other machines to a thread that hangs are executed once', async (t) => {
  const server = await TestServer.start({
    execution: 'threads',
    vcpuThreads: 1,
    machines: [
      { name: 'm', locking: 'nested-mutex', onDeadlock: 'hang', bql: { load: { duty: 0.5, hold: '2000000' } } },
      { name: 'other', locking: 'lockless-timer' },
    ],
  });
  t.teardown(server.stop);
  const other = await server.connect('other', 0);
  await writeEntry(other, PIN, VECTOR, 0);
  const before = other.received.length;
  let running = true;
  let requests = 0;
  const streams = Array.from({ length: WINDOW / 2 }, async () => {
    while (running) {
      requests += 2;
      await Promise.all([1, 0].map((level) => other.request({ type: 'line', gsi: PIN, level })));
    }
  });
  const views: Promise<{ status: number }>[] = [];
  await provokeDeadlock(
    await server.connect('m', 0),
    async () => (await server.get('/v1/machines/m')).state === 'hung',
    // Views wait for each other: once the first is done, one of the others stands behind the writes that hang.
    () => {
      const some = Array.from({ length: 30 }, () => server.request('GET', '/v1/machines/m/hpet'));
      views.push(...some);
      return Promise.race(some);
    },
  );
  t.equal((await server.request('GET', '/v1/machines/other/hpet')).status, 200, 'views of others go on');
  const last = await other.request({ type: 'sync' });
  running = false;
  await Promise.all(streams);
  t.ok(last, 'the requests in flight were answered');
  const got = other.received.slice(before).filter(({ type, id }) => type === 'interrupt' || id !== last.id);
  const wanted = Array.from({ length: requests / 2 }, () => ['interrupt', 'reply', 'reply']).flat();
  t.strictSame(
    got.map(({ type }) => type),
    wanted,
    'one interrupt for each rise, before its reply',
  );
  const statuses = new Set((await Promise.all(views)).map(({ status }) => status));
  t.same(
    [...statuses].filter((status) => status !== 200 && status !== 409),
    [],
    'views of the machine that hangs end',
  );
  t.equal((await server.request('DELETE', '/v1/machines/m')).status, 204);
});
