import t from 'tap';
import { NESTED_MUTEX, provokeDeadlock } from '../../support/nested-deadlock.js';
import { TestServer } from '../../support/server.js';
import { checkStructure, type Stretch, THREADS, TraceFile } from '../../support/trace-file.js';

/** Around a moment that both slices share, in ns. */
function overlap(a: Stretch, b: Stretch): boolean {
  return a.from <= b.to && b.from <= a.to;
}

/** Pairs of waits of two threads, each for a lock that the other holds all the while of its own wait. */
function mutualWaits(file: TraceFile): [Stretch, Stretch][] {
  const stretches = file.stretches(THREADS);
  const waits = stretches.filter(({ cat }) => cat === 'wait');
  const holds = stretches.filter(({ cat }) => cat === 'lock');
  const holdsMeanwhile = (thread: Stretch, lock: string) =>
    holds.some(
      ({ tid, name, from, to }) =>
        tid === thread.tid && name === `hold ${lock}` && from <= thread.from && to >= thread.to,
    );
  return waits.flatMap((a) =>
    waits
      .filter((b) => a.tid < b.tid && overlap(a, b))
      .filter((b) => holdsMeanwhile(a, b.args.lock) && holdsMeanwhile(b, a.args.lock))
      .map((b): [Stretch, Stretch] => [a, b]),
  );
}

t.test('the trace of a deadlock that hangs shows both threads waiting for each other', async (t) => {
  const server = await TestServer.start({
    execution: 'threads',
    machines: [{ name: 'm', onDeadlock: 'hang', ...NESTED_MUTEX }],
  });
  t.teardown(server.stop);
  t.equal((await server.request('PUT', '/v1/machines/m/trace', { enabled: true })).status, 200);
  const vcpu = await server.connect('m', 0);
  await provokeDeadlock(vcpu, async () => (await server.get('/v1/machines/m')).state === 'hung');

  const file = await TraceFile.of(server, 'm');
  checkStructure(t, file);
  const open = mutualWaits(file).filter((pair) => pair.every(({ args }) => args.open));
  t.equal(open.length, 1, 'two threads wait for each other to the end of the trace');
  const [mainLoop, vcpuThread] = open[0];
  t.equal(file.threadOf(mainLoop), 'main-loop');
  t.match(file.threadOf(vcpuThread), /^vcpu-/);
  t.match(mainLoop.args, { lock: 'device', holds: ['bql'], site: 'timer-callback' });
  t.match(vcpuThread.args, { lock: 'bql', holds: ['device'], site: 'irq-update' });
  t.match(
    file.of('i', 'deadlock').map(({ args }) => args),
    [{ outcome: 'hung' }],
    'the thread that closed the cycle says so',
  );
  t.equal(
    (await server.request('PUT', '/v1/machines/m/trace', { enabled: false })).status,
    200,
    'it can be turned off',
  );
  const again = await server.request('PUT', '/v1/machines/m/trace', { enabled: true });
  t.equal(again.body.error?.code, 'machine-hung', 'there is nothing new to trace');
});

t.test('the trace of deadlocks that are broken shows who was refused, and that all went on', async (t) => {
  const server = await TestServer.start({ execution: 'threads', machines: [{ name: 'm', ...NESTED_MUTEX }] });
  t.teardown(server.stop);
  await server.request('PUT', '/v1/machines/m/trace', { enabled: true });
  const vcpu = await server.connect('m', 0);
  await provokeDeadlock(vcpu, async () => (await server.get('/v1/machines/m/deadlocks')).deadlocks.length > 0);
  await vcpu.request({ type: 'sync' });
  await server.mainLoopIdle();
  await server.request('PUT', '/v1/machines/m/trace', { enabled: false });

  const file = await TraceFile.of(server, 'm');
  checkStructure(t, file);
  t.ok(
    file.of('i', 'deadlock').some(({ args }) => args.outcome === 'broken'),
    'a deadlock was broken',
  );
  const broken = mutualWaits(file);
  t.ok(broken.length > 0, 'threads waited for each other');
  for (const pair of broken) {
    t.ok(
      pair.some(({ args }) => args.outcome === 'refused'),
      'one of them was refused',
    );
  }
  t.same(
    file.stretches(THREADS).filter(({ cat, args }) => cat === 'wait' && args.open),
    [],
    'nobody waits any more',
  );
});
