import t, { type Test } from 'tap';
import type { ConfigurationInput } from '../../../src/config/schema.js';
import type { PresetName } from '../../../src/core/locking/presets.js';
import {
  ENABLE,
  GENERAL_CONFIGURATION,
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

const LEGACY = 2;
const SESSIONS = { protocols: ['southbridge.v1.1.json'] };
const FIRST = { type: 'resume', session: 'a', epoch: '', event: '0', reply: '0' };

async function start(t: Test, input: ConfigurationInput): Promise<TestServer> {
  const server = await TestServer.start(input);
  t.teardown(server.stop);
  return server;
}

async function session(server: TestServer, vcpu = 0): Promise<VcpuClient> {
  const client = await server.connect('m', vcpu, SESSIONS);
  client.socket.send(JSON.stringify(FIRST));
  return client;
}

const DESIGNS: readonly PresetName[] = ['bql', 'kick-and-drain', 'lockless-irq'];

for (const locking of DESIGNS) {
  t.test(`${locking}: steps to the next deadline meet each, and report the one behind it`, async (t) => {
    const server = await start(t, { machines: [{ name: 'm', clock: 'manual', locking }] });
    const vcpu = await session(server);
    const step = (fields: object) => vcpu.request({ type: 'step', ...fields });
    t.strictSame(await step({ ns: '70', toDeadline: true }), { type: 'reply', id: 1, time: '70' }, 'no timer is armed');
    await writeEntry(vcpu, 20, 0x34, 0);
    await vcpu.write(timerConfiguration(0), 8, ENABLE | PERIODIC | VALUE_SET | route(20));
    // The counter ticks every 10 ns, from time 70 on.
    await vcpu.write(timerComparator(0), 8, 100);
    await vcpu.write(timerComparator(0), 8, 100);
    await vcpu.write(GENERAL_CONFIGURATION, 8, 1);
    t.match(await step({ ns: '0' }), { time: '70', deadline: '1070' });
    t.match(await step({ ns: '30', toDeadline: true }), { time: '100', deadline: '1070' }, 'less than to the deadline');
    const read = { address: '0xfed000f0', size: 4 };
    for (const time of [1070, 2070, 3070]) {
      const before = vcpu.interrupts.length;
      const reply = await step({ ns: '5000', toDeadline: true, read });
      const value = `0x${((time - 70) / 10).toString(16).padStart(8, '0')}`;
      t.match(reply, { time: String(time), deadline: String(time + 1000), value });
      t.equal(vcpu.interrupts.length, before + 1, 'the interrupt comes before the reply');
    }
    t.match(
      await step({ ns: '2500' }),
      { time: '5570', deadline: '6070' },
      'a step without the option passes deadlines',
    );
    await vcpu.write(GENERAL_CONFIGURATION, 8, 0);
    t.strictSame(Object.keys(await step({ ns: '1' })), ['type', 'id', 'time'], 'no timer is armed any more');
    t.equal(vcpu.interrupts.length, 5);
  });
}

t.test('a step that cannot be made changes nothing, and no other register is read', async (t) => {
  const server = await start(t, { machines: [{ name: 'm', clock: 'manual' }] });
  const vcpu = await session(server);
  const step = (fields: object) => vcpu.request({ type: 'step', ns: '1', ...fields });
  for (const [fields, code] of [
    [{ read: { address: '0x1000', size: 4 } }, 'address-unassigned'],
    [{ read: { address: '0xfed000f0', size: 3 } }, 'bad-size'],
    [{ read: { address: '0xfed000f0', size: 4, value: '0x1' } }, 'unknown-key'],
    [{ read: { address: '0xfed000f0' } }, 'bad-message'],
    [{ toDeadline: 1 }, 'bad-value'],
    [{ ns: String(Number.MAX_SAFE_INTEGER + 1), toDeadline: true }, 'step-too-far'],
  ] as const) {
    t.match(await step(fields), { type: 'error', code: /^[a-z-]+$/ }, code);
    t.equal(vcpu.received.at(-1).code, code);
  }
  t.match(await step({ ns: '0' }), { time: '0' });
  await server.request('POST', '/v1/machines/m/pause');
  t.match(await step({ read: { address: '0xfed000f0', size: 4 } }), { type: 'error', code: 'machine-paused' });
  t.match(await vcpu.request({ type: 'sync' }), { type: 'reply' });
});

t.test('version 1 has neither: its clients get the replies that they know', async (t) => {
  const server = await start(t, { machines: [{ name: 'm', clock: 'manual' }] });
  const vcpu = await server.connect('m', 0);
  t.strictSame(await vcpu.request({ type: 'step', ns: '5' }), { type: 'reply', id: 1 });
  t.match(await vcpu.request({ type: 'step', ns: '5', toDeadline: true }), { code: 'unknown-key' });
  const read = { address: '0xfed000f0', size: 8 };
  t.match(await vcpu.request({ type: 'step', ns: '5', read }), { code: 'unknown-key' });
  t.match(await vcpu.request({ type: 'input', input: 'pit', level: 1 }), { code: 'unknown-message-type' });
  t.equal((await server.get('/v1/machines/m')).virtualTime, '5');
});

t.test('inputs are driven between the accesses before and behind them', async (t) => {
  for (const vcpuThreads of [1, 2]) {
    const server = await start(t, { vcpuThreads, machines: [{ name: 'm', vcpus: 2, clock: 'manual' }] });
    const vcpu = await session(server);
    await vcpu.request({ type: 'subscribe', kinds: ['line'] });
    // All are in flight at a time. The HPET disconnects the PIT between two of the writes.
    const send = (id: number, message: object) => vcpu.socket.send(JSON.stringify({ id, ...message }));
    const write = (value: number) => ({ type: 'write', address: '0xfed00010', size: 8, value: `0x${value}` });
    const requests: object[] = [];
    for (let round = 0; round < 20; round++) {
      requests.push({ type: 'input', input: 'pit', level: 1 }, { type: 'input', input: 'pit', level: 0 });
      requests.push(write(LEGACY), { type: 'input', input: 'pit', level: 1 });
      requests.push({ type: 'input', input: 'pit', level: 0 }, write(0), {
        type: 'read',
        address: '0xfed000f0',
        size: 4,
      });
    }
    for (const [index, request] of requests.entries()) send(100 + index, request);
    await vcpu.next(({ id }) => id === 99 + requests.length);
    const seen = vcpu.received.filter(({ type, id }) => type === 'irq' || (type === 'reply' && id >= 100));
    const words = seen.map(({ type, level }) => (type === 'irq' ? `pit ${level}` : 'reply'));
    const round = ['pit 1', 'reply', 'pit 0', 'reply', 'reply', 'reply', 'reply', 'reply', 'reply'];
    t.strictSame(words, Array.from({ length: 20 }, () => round).flat(), `${vcpuThreads} vCPU threads`);
    t.ok(seen.filter(({ type }) => type === 'irq').every(({ source }) => source === 'pit'));
  }
});

t.test('the RTC and the callback of Xen, and what is no input', async (t) => {
  const server = await start(t, { machines: [{ name: 'm', clock: 'manual', xen: { form: 'source-id', gsi: 20 } }] });
  const vcpu = await session(server);
  await vcpu.request({ type: 'subscribe', kinds: ['line'] });
  await writeEntry(vcpu, 20, 0x41, 0);
  await vcpu.request({ type: 'input', input: 'xen', level: 1 });
  t.equal(vcpu.interrupts.length, 1, 'before the reply');
  await vcpu.request({ type: 'input', input: 'rtc', level: 1 });
  t.match(vcpu.received.at(-2), { type: 'irq', gsi: 8, level: 1, source: 'rtc' });
  t.match(await vcpu.request({ type: 'input', input: 'nmi', level: 1 }), { type: 'error', code: 'bad-value' });
  t.match(await vcpu.request({ type: 'input', input: 'pit', level: 2 }), { type: 'error', code: 'bad-value' });
  const other = await start(t, { machines: [{ name: 'm' }] });
  const realtime = await session(other);
  t.match(await realtime.request({ type: 'input', input: 'xen', level: 1 }), { code: 'no-xen-filter' });
  t.match(await realtime.request({ type: 'input', input: 'pit', level: 1 }), { type: 'reply' });
});

t.test('other vCPUs go on while an input waits for the main loop', async (t) => {
  const server = await start(t, { machines: [{ name: 'm', vcpus: 2, bql: { load: { duty: 0.5 } } }] });
  const [vcpu, other] = [await session(server), await session(server, 1)];
  const done = vcpu.request({ type: 'input', input: 'pit', level: 1 });
  const counter = { type: 'read', address: `0x${MAIN_COUNTER.toString(16)}`, size: 8 };
  t.match(await other.request(counter), { type: 'reply' });
  t.match(await done, { type: 'reply' });
});
