import t, { type Test } from 'tap';
import { ENABLE, GENERAL_CONFIGURATION, route, timerComparator, timerConfiguration } from '../../support/guest.js';
import { TestServer } from '../../support/server.js';
import { checkStructure, LOCKS, THREADS, TraceFile } from '../../support/trace-file.js';
import type { VcpuClient } from '../../support/vcpu-client.js';

const ROUNDS = 20;
const PRESETS = ['lockless-timer', 'deferred-irq', 'kick-and-drain'] as const;

/** Lets timer 0 fire once, which pulses line 20: four accesses and a step. */
async function fire(client: VcpuClient): Promise<void> {
  await client.write(GENERAL_CONFIGURATION, 8, 0);
  await client.write(timerComparator(0), 8, 0xffff_ffff);
  await client.write(timerConfiguration(0), 8, route(20) | ENABLE);
  await client.write(timerComparator(0), 8, ((await client.read(0xfed000f0, 8)) as bigint) + 10n);
  await client.write(GENERAL_CONFIGURATION, 8, 1);
  await client.request({ type: 'step', ns: '1000' });
}

function trace(server: TestServer, machine: string, enabled: boolean) {
  return server.request('PUT', `/v1/machines/${machine}/trace`, { enabled });
}

t.test('a trace has all that happened, each in its place', async (t) => {
  const server = await TestServer.start({
    limits: { machines: 2 * PRESETS.length },
    machines: PRESETS.flatMap((locking) => [
      { name: locking, locking, clock: 'manual' },
      { name: `other-${locking}`, locking, clock: 'manual' },
    ]),
  });
  t.teardown(server.stop);
  for (const locking of PRESETS) await t.test(locking, (t) => traceOne(t, server, locking));
});

async function traceOne(t: Test, server: TestServer, locking: string): Promise<void> {
  const client = await server.connect(locking, 0);
  const other = await server.connect(`other-${locking}`, 0);
  await fire(client);
  t.equal((await trace(server, locking, true)).status, 200);
  const before = BigInt((await server.get(`/v1/machines/${locking}`)).sequence);
  for (let round = 0; round < ROUNDS; round++) await Promise.all([fire(client), fire(other)]);
  const emitted = BigInt((await server.get(`/v1/machines/${locking}`)).sequence) - before;
  t.equal((await trace(server, locking, false)).body.enabled, false);
  await fire(client);

  const file = await TraceFile.of(server, locking);
  checkStructure(t, file);
  t.match(file.otherData, { machine: locking, locking, truncated: false });
  const slices = file.stretches(THREADS).filter(({ args }) => !args.fromBefore);
  const of = (wanted: string) => slices.filter(({ cat }) => cat === wanted);
  const writes = of('access')
    .filter(({ name }) => name === 'mmio-write')
    .sort((a, b) => a.ts - b.ts);
  t.same(
    writes.map(({ args }) => args.address),
    Array(ROUNDS).fill(['0xfed00010', '0xfed00108', '0xfed00100', '0xfed00108', '0xfed00010']).flat(),
    'every write of this machine while it was traced, in order, and no other',
  );
  t.equal(of('access').length - writes.length, ROUNDS, 'every read');
  t.equal(of('callback').length, ROUNDS * (locking === 'kick-and-drain' ? 2 : 1), 'every callback');
  const events = file.of('i', 'interrupt');
  t.equal(BigInt(events.length), emitted, 'every interrupt event');
  t.ok(
    events.some(({ name, args }) => name === 'line' && args.gsi === 20 && args.level === 1 && args.cause === 'timer 0'),
    'with what it was',
  );
  t.equal(file.of('s', 'interrupt').length, events.length, 'an arrow from each');
  t.equal(file.stretches(LOCKS).length, of('lock').length, 'every hold, by lock too');
}

t.test('what is overwritten is counted and reported', async (t) => {
  const server = await TestServer.start({
    execution: 'threads',
    limits: { traceRecords: 1024 },
    machines: [{ name: 'm', locking: 'bql' }],
  });
  t.teardown(server.stop);
  const client = await server.connect('m', 0);
  await trace(server, 'm', true);
  const reads = Array.from({ length: 2000 }, () => client.read(0xfed000f0, 8));
  await Promise.all(reads);

  const file = await TraceFile.of(server, 'm');
  checkStructure(t, file);
  // A read is four records: it begins, takes the lock, gives it back, ends.
  const { records, overwritten } = file.otherData.threads['vcpu-0'];
  t.equal(records + overwritten, 4 * 2000, 'all that was written');
  t.ok(records <= 1024 && records > 1000, `${records} are left`);
  t.equal(file.otherData.truncated, true);
  const [notice] = file.of('i', 'truncated');
  t.match(notice, { name: `truncated: ${overwritten} earlier records were overwritten`, args: { overwritten } });
  t.equal(file.threadOf(notice), 'vcpu-0');
  const [first] = file.stretches(THREADS, 'vcpu-0');
  t.equal(notice.ts, first.ts, 'it stands where the records begin');
});

t.test('a machine that is not traced leaves nothing, and another in its place does not go on', async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  const client = await server.connect('default', 0);
  await client.read(0xfed000f0, 8);
  t.same(await server.get('/v1/machines/default/trace'), { enabled: false, recordsPerThread: 32768, threads: {} });
  t.match(await server.request('GET', '/v1/machines/default/trace?format=perfetto'), {
    status: 409,
    body: { error: { code: 'not-traced' } },
  });
  await trace(server, 'default', true);
  await client.read(0xfed000f0, 8);
  t.match(await server.get('/v1/machines/default/trace'), { enabled: true, threads: { gateway: { written: 2 } } });
  t.equal((await server.request('DELETE', '/v1/machines/default')).status, 204);
  t.equal((await server.request('POST', '/v1/machines', { name: 'default' })).status, 201);
  const { enabled, threads } = await server.get('/v1/machines/default/trace');
  t.same({ enabled, threads }, { enabled: false, threads: {} });
});
