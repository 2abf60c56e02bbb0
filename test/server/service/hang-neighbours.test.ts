import t from 'tap';
import { writeEntry } from '../../support/guest.js';
import { NESTED_MUTEX, provokeDeadlock } from '../../support/nested-deadlock.js';
import { TestServer } from '../../support/server.js';

const PIN = 4;
const VECTOR = 0x44;
/** Requests in flight at a time, each of which raises or lowers a line. */
const WINDOW = 16;
/** Reports of broken deadlocks of all machines. */
const REPORTS_KEPT = 32;

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

t.test('a machine that hangs keeps its report while another one breaks many deadlocks', async (t) => {
  const server = await TestServer.start({
    execution: 'threads',
    vcpuThreads: 2,
    machines: [
      { name: 'hung', onDeadlock: 'hang', ...NESTED_MUTEX },
      { name: 'breaks', onDeadlock: 'break', ...NESTED_MUTEX },
    ],
  });
  t.teardown(server.stop);
  const reportsOf = async (name: string) => (await server.get(`/v1/machines/${name}/deadlocks`)).deadlocks;
  const isHung = async () => (await server.get('/v1/machines/hung')).state === 'hung';
  await provokeDeadlock(await server.connect('hung', 0), isHung);
  const hung = await reportsOf('hung');
  t.match(hung, [{ outcome: 'hung' }]);
  await provokeDeadlock(await server.connect('breaks', 0), async () => {
    const { deadlocks } = await server.get('/v1/machines/breaks/locks/contention');
    return deadlocks.broken > REPORTS_KEPT;
  });
  const broken = await reportsOf('breaks');
  t.ok(broken.length > REPORTS_KEPT / 2, 'the server keeps the newest of those');
  t.same(await reportsOf('hung'), hung);
  t.equal((await server.request('DELETE', '/v1/machines/hung')).status, 204, 'and its threads are still known');
});
