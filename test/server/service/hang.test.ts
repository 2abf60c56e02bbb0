import t from 'tap';
import {
  ENABLE,
  GENERAL_CONFIGURATION,
  MAIN_COUNTER,
  route,
  timerComparator,
  timerConfiguration,
} from '../../support/guest.js';
import { NESTED_MUTEX, provokeDeadlock } from '../../support/nested-deadlock.js';
import { TestServer } from '../../support/server.js';

t.test('a deadlock that is left to hang: the threads hang, the rest of the server does not', async (t) => {
  const server = await TestServer.start({
    execution: 'threads',
    machines: [
      { name: 'm', onDeadlock: 'hang', ...NESTED_MUTEX },
      { name: 'other', locking: 'lockless-timer', vcpus: 2 },
    ],
  });
  t.teardown(server.stop);
  const vcpu = await server.connect('m', 0);
  await provokeDeadlock(vcpu, async () => (await server.get('/v1/machines/m')).state === 'hung');

  const { deadlocks } = await server.get('/v1/machines/m/deadlocks');
  const report = deadlocks.at(-1);
  t.equal(report.outcome, 'hung');
  t.match(
    report.threads.find(({ thread }: { thread: string }) => thread === 'main-loop'),
    {
      waitsFor: 'device',
      holds: ['bql'],
      site: 'timer-callback',
      taken: [{ lock: 'bql', site: 'main-loop' }],
      path: ['main-loop', 'timer-callback'],
      access: null,
      timer: 0,
      gsi: 16,
    },
    'the callback of timer 0',
  );
  t.match(
    report.threads.find(({ thread }: { thread: string }) => thread.startsWith('vcpu-')),
    {
      waitsFor: 'bql',
      holds: ['device'],
      taken: [{ lock: 'device', site: /^mmio-write$/ }],
      path: ['mmio-write', 'irq-update'],
      access: { operation: 'write', address: /^0xfed00/ },
    },
    'the write, in the call that changes the line',
  );
  for (const { waited } of report.threads) t.ok(waited >= 0 && waited < 60e9, `it had waited ${waited} ns`);
  const { locks } = await server.get('/v1/machines/m/locks');
  t.match(
    locks,
    [
      { lock: 'bql', owner: 'main-loop' },
      { lock: 'device', owner: /^vcpu-/ },
    ],
    'they hold and wait on',
  );
  t.equal((await server.request('GET', '/healthz')).status, 200);
  t.equal((await server.request('GET', '/metrics')).status, 200);
  t.match((await server.request('GET', '/v1/machines/m/mmio/0xfed00000?size=8')).body, {
    error: { code: 'machine-hung' },
  });

  const registers = await server.get('/v1/machines/m/hpet');
  t.match(registers, { configuration: { enabled: true }, timers: [{ trigger: 'level', periodic: true, route: 16 }] });
  t.same(await server.get('/v1/machines/m/hpet'), registers, 'its last registers stay as they were');
  t.match(await server.get('/v1/machines/m/ioapic'), { lines: { length: 24 } });

  const other = await Promise.all([server.connect('other', 0), server.connect('other', 1)]);
  for (const client of other) {
    await client.write(GENERAL_CONFIGURATION, 8, 1);
    const before = await client.read(MAIN_COUNTER, 8);
    t.ok((await client.read(MAIN_COUNTER, 8)) >= before, 'the other machine goes on');
  }
  await other[0].write(timerConfiguration(0), 8, route(20) | ENABLE);
  await other[0].request({ type: 'subscribe', kinds: ['line'] });
  await other[0].write(timerComparator(0), 8, (await other[0].read(MAIN_COUNTER, 8)) + 1000n);
  await other[0].next((message) => message.type === 'irq' && message.gsi === 20);

  t.match(
    (await server.request('GET', '/metrics')).body,
    /thread="main-loop′"/,
    'the thread in its place has its role',
  );

  t.equal((await server.request('DELETE', '/v1/machines/m')).status, 204);
  t.equal((await server.request('POST', '/v1/machines', { name: 'm', locking: 'bql' })).status, 201);
  t.same(await server.get('/v1/machines/m/deadlocks'), { deadlocks: [] }, 'the report was of the machine before it');
  const again = await server.connect('m', 1);
  t.equal(await again.read(0xfed0_0000, 4), 0x8086a201n, 'its slot works again');
});
