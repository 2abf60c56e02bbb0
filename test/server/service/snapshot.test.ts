import t from 'tap';
import { PRESET_NAMES } from '../../../src/core/locking/presets.js';
import {
  ENABLE,
  GENERAL_CONFIGURATION,
  LEVEL,
  MAIN_COUNTER,
  PERIODIC,
  route,
  timerComparator,
  timerConfiguration,
  VALUE_SET,
  writeEntry,
} from '../../support/guest.js';
import { TestServer } from '../../support/server.js';
import type { VcpuClient } from '../../support/vcpu-client.js';

const server = await TestServer.start({ machines: [] });
t.teardown(() => server.stop());

async function make(name: string, locking: string, clock: 'manual' | 'realtime'): Promise<VcpuClient> {
  const { status } = await server.request('POST', '/v1/machines', { name, locking, clock });
  if (status !== 201) throw new Error(`no machine ${name}`);
  const vcpu = await server.connect(name, 0);
  await vcpu.request({ type: 'subscribe', kinds: ['line', 'apic', 'intr'] });
  return vcpu;
}

const restore = (machine: string, snapshot: unknown, query = '') =>
  server.request('PUT', `/v1/machines/${machine}/snapshot${query}`, snapshot);
const views = async (machine: string) => [
  await server.get(`/v1/machines/${machine}/hpet`),
  await server.get(`/v1/machines/${machine}/ioapic`),
];
/** All that a machine emitted, without numbers and wall times. */
const emitted = (vcpu: VcpuClient) =>
  vcpu.received.filter(({ type }) => type === 'irq').map(({ sequence, wallTime, ...event }) => event);

/** A periodic level timer that has fired, one-shots ahead, an external line that is high, and an entry for each. */
async function prepare(vcpu: VcpuClient): Promise<void> {
  await writeEntry(vcpu, 16, 0x8000 | 0x50, 0);
  await writeEntry(vcpu, 17, 0x51, 0);
  await vcpu.write(timerConfiguration(0), 8, route(16) | LEVEL | ENABLE | PERIODIC | VALUE_SET);
  await vcpu.write(timerComparator(0), 8, 1000);
  await vcpu.write(timerConfiguration(1), 8, route(17) | ENABLE);
  await vcpu.write(timerComparator(1), 8, 2500);
  await vcpu.request({ type: 'line', gsi: 17, level: 1 });
  await vcpu.write(GENERAL_CONFIGURATION, 8, 1);
}

t.test('a timer that is due in hundreds of years is restored as well', async (t) => {
  const vcpu = await make('far', 'lockless-timer', 'manual');
  await vcpu.write(timerConfiguration(0), 8, route(16) | ENABLE | PERIODIC | VALUE_SET);
  await vcpu.write(timerComparator(0), 8, 100);
  await vcpu.write(timerComparator(0), 8, 0x0800_0000_0000_0000n);
  await vcpu.write(GENERAL_CONFIGURATION, 8, 1);
  await vcpu.request({ type: 'step', ns: '1000' });
  const { takenAt: _, ...snapshot } = await server.get('/v1/machines/far/snapshot');
  t.match(snapshot.deadlines[0], /^576460752303\d{7}$/);
  t.equal((await restore('far', { takenAt: 0, ...snapshot })).status, 200);
  // The levels that a restore reports take a number.
  const sequence = String(Number(snapshot.sequence) + 1);
  t.match(await server.get('/v1/machines/far/snapshot'), { ...snapshot, sequence });
});

for (const locking of PRESET_NAMES) {
  t.test(`${locking}: what is restored goes on as the original does, and nothing is emitted twice`, async (t) => {
    const name = locking.replace('+', '-and-');
    const original = await make(`a-${name}`, locking, 'manual');
    await prepare(original);
    await original.request({ type: 'step', ns: '12345' });
    const snapshot = await server.get(`/v1/machines/a-${name}/snapshot`);
    t.match(snapshot, { version: 1, virtualTime: '12345', config: { locking } });

    const copy = await make(`b-${name}`, locking, 'manual');
    const { status, body } = await restore(`b-${name}`, snapshot);
    t.equal(status, 200, JSON.stringify(body));
    await copy.request({ type: 'sync' });
    t.same(emitted(copy), [], 'levels are kept, and no edge is emitted again');
    t.same(await views(`b-${name}`), await views(`a-${name}`));

    const before = emitted(original).length;
    for (const vcpu of [original, copy]) {
      await vcpu.write(0xfed00020, 8, 1);
      await vcpu.request({ type: 'step', ns: '20000' });
      await vcpu.request({ type: 'eoi', vector: 0x50 });
      await vcpu.request({ type: 'line', gsi: 17, level: 0 });
      await vcpu.request({ type: 'step', ns: '20000' });
    }
    t.ok(emitted(copy).length > 3, 'timers that were armed are armed again');
    t.same(emitted(copy), emitted(original).slice(before));
    t.same(await views(`b-${name}`), await views(`a-${name}`));
    t.equal(await copy.read(MAIN_COUNTER, 8), await original.read(MAIN_COUNTER, 8));
    for (const vcpu of [original, copy]) await vcpu.close();
  });
}

t.test('the counter goes on from the snapshot, or jumps by the time that has passed', async (t) => {
  const vcpu = await make('real', 'lockless-timer', 'realtime');
  await vcpu.write(GENERAL_CONFIGURATION, 8, 1);
  const then = await vcpu.read(MAIN_COUNTER, 8);
  const snapshot = await server.get('/v1/machines/real/snapshot');
  t.equal((await restore('real', { ...snapshot, takenAt: snapshot.takenAt - 3_600_000 }, '?counter=jump')).status, 200);
  const jumped = await vcpu.read(MAIN_COUNTER, 8);
  // The wall clock counts milliseconds: 100,000 ticks.
  t.ok(jumped >= then + 360_000_000_000n - 200_000n, 'an hour of ticks');
  t.equal((await restore('real', snapshot)).status, 200);
  const continued = await vcpu.read(MAIN_COUNTER, 8);
  t.ok(continued < jumped, 'back again');

  await vcpu.write(timerConfiguration(1), 8, route(17) | ENABLE);
  await vcpu.write(timerComparator(1), 8, (await vcpu.read(MAIN_COUNTER, 8)) + 10_000_000n);
  const armed = await server.get('/v1/machines/real/snapshot');
  await vcpu.write(timerConfiguration(1), 8, route(17));
  t.equal((await restore('real', { ...armed, takenAt: armed.takenAt - 1000 }, '?counter=jump')).status, 200);
  t.match(
    await vcpu.next(({ type }) => type === 'irq'),
    { gsi: 17, level: 1 },
    'what came due meanwhile is made up for',
  );
  await vcpu.close();
});

t.test('a timer that was due before time began is still due in a snapshot', async (t) => {
  const original = await make('late-a', 'lockless-timer', 'realtime');
  await server.request('POST', '/v1/machines/late-a/pause');
  // The counter met the comparator before the machine was: its deadline is below 0, and the clock stands.
  await original.write(MAIN_COUNTER, 8, 10n ** 15n);
  await original.write(timerConfiguration(0), 8, route(16) | ENABLE);
  await original.write(timerComparator(0), 8, 1);
  await original.write(GENERAL_CONFIGURATION, 8, 1);
  const snapshot = await server.get('/v1/machines/late-a/snapshot');
  t.equal(snapshot.deadlines[0], '0');

  const copy = await make('late-b', 'lockless-timer', 'realtime');
  await server.request('POST', '/v1/machines/late-b/pause');
  t.equal((await restore('late-b', snapshot)).status, 200);
  t.same((await server.get('/v1/machines/late-b/snapshot')).deadlines, snapshot.deadlines);
  t.same(emitted(copy), []);
  await server.request('POST', '/v1/machines/late-b/resume');
  t.match(await copy.next(({ type }) => type === 'irq'), { gsi: 16, level: 1 });
  for (const vcpu of [original, copy]) await vcpu.close();
});

t.test('accesses and snapshots at the same time', async (t) => {
  const vcpu = await make('busy', 'deferred-revalidated', 'realtime');
  await prepare(vcpu);
  let answered = 0;
  const accesses = Array.from({ length: 300 }, async (_, i) => {
    await vcpu.write(timerComparator(1), 8, 2500 + i);
    answered++;
  });
  const snapshots = await Promise.all(Array.from({ length: 5 }, () => server.get('/v1/machines/busy/snapshot')));
  await Promise.all(accesses);
  t.equal(answered, 300, 'every access is answered');
  t.equal(snapshots.length, 5);
  await vcpu.close();
});

t.test('what cannot be restored is refused, and changes nothing', async (t) => {
  const vcpu = await make('m', 'lockless-timer', 'manual');
  await prepare(vcpu);
  const snapshot = await server.get('/v1/machines/m/snapshot');
  await vcpu.write(timerComparator(1), 8, 7777);
  const before = await views('m');
  const [name] = Object.keys(snapshot.state);
  const { [name]: _, ...rest } = snapshot.state;
  for (const [code, changed] of [
    ['snapshot-version', { version: 2 }],
    ['snapshot-of-another', { config: { ...snapshot.config, locking: 'bql' } }],
    ['snapshot-of-another', { config: { ...snapshot.config, hpet: { timers: 8 } } }],
    ['bad-snapshot', { state: rest }],
    ['bad-snapshot', { state: { ...snapshot.state, misspelt: 1 } }],
    ['bad-snapshot', { deadlines: [] }],
    // A reader would wait indefinitely, and a thread would write where another machine lies.
    ['bad-snapshot', { state: { ...snapshot.state, 'hpet.counter[0]': 1 } }],
    ['bad-snapshot', { state: { ...snapshot.state, 'hpet.timer[0].heldLine': 33 } }],
    ['bad-snapshot', { state: { ...snapshot.state, 'pic.chip[1].lowest': 8 } }],
    // Bits that the field does not have.
    ['bad-snapshot', { state: { ...snapshot.state, 'hpet.configuration': 4 } }],
    ['bad-snapshot', { state: { ...snapshot.state, 'hpet.status': 1 << 3 } }],
    ['bad-snapshot', { state: { ...snapshot.state, 'ioapic.entry.low[0]': 1 << 14 } }],
    ['bad-snapshot', { state: { ...snapshot.state, 'xen.callback': 2 } }],
    ['bad-snapshot', { deadlines: snapshot.deadlines.with(3, '1') }],
    ['unknown-key', { misspelt: 1 }],
    ['bad-value', { state: { ...snapshot.state, [name]: 2 ** 32 } }],
    ['bad-value', { virtualTime: 'soon' }],
  ] as const) {
    const { status, body } = await restore('m', { ...snapshot, ...changed });
    t.ok(status >= 400 && status < 500, `${code}: ${status}`);
    t.equal(body.error.code, code);
  }
  t.same(await views('m'), before);
  t.equal((await restore('m', snapshot)).status, 200);
  t.notSame(await views('m'), before);
  await vcpu.close();
});

t.test('a snapshot with an 8259 pair does not fit a machine without one, nor the reverse', async (t) => {
  await server.request('POST', '/v1/machines', { name: 'with-pic', clock: 'manual' });
  await server.request('POST', '/v1/machines', { name: 'without-pic', clock: 'manual', pic: false });
  for (const [from, to] of [
    ['with-pic', 'without-pic'],
    ['without-pic', 'with-pic'],
  ]) {
    const snapshot = await server.get(`/v1/machines/${from}/snapshot`);
    const { status, body } = await restore(to, snapshot);
    t.equal(status, 409);
    t.match(body, { error: { code: 'snapshot-of-another', message: /pic/ } });
  }
});

t.test('equal deadlines keep the order of their arming over a restore', async (t) => {
  const vcpu = await make('tied', 'lockless-timer', 'manual');
  await vcpu.write(GENERAL_CONFIGURATION, 8, 1);
  for (const timer of [2, 0, 1]) {
    await vcpu.write(timerConfiguration(timer), 8, route([16, 17, 18][timer]) | ENABLE);
    await vcpu.write(timerComparator(timer), 8, 100);
  }
  const snapshot = await server.get('/v1/machines/tied/snapshot');
  t.same(snapshot.order, [2, 0, 1]);
  const raised = async () => {
    vcpu.received.length = 0;
    await vcpu.request({ type: 'step', ns: '1000' });
    return emitted(vcpu).flatMap((event) => (event.level === 1 && event.kind === 'line' ? [event.gsi] : []));
  };
  t.same(await raised(), [18, 16, 17]);
  t.equal((await restore('tied', snapshot)).status, 200);
  t.same(await raised(), [18, 16, 17]);
  for (const order of [[2, 0], [2, 0, 1, 1], [2, 0, 3], undefined]) {
    const { status } = await restore('tied', { ...snapshot, order });
    t.equal(status, order ? 400 : 200, `order ${order}`);
  }
});
