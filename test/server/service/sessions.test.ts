import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { ConfigurationInput } from '../../../src/config/schema.js';
import {
  ENABLE,
  GENERAL_CONFIGURATION,
  PERIODIC,
  pulse,
  route,
  timerComparator,
  timerConfiguration,
  VALUE_SET,
  writeEntry,
} from '../../support/guest.js';
import { TestServer } from '../../support/server.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import type { VcpuClient } from '../../support/vcpu-client.js';

/** Of the main counter: 50 µs. */
const TICKS = 5_000;
const PROTOCOL = 'southbridge.v1.1.json';
const MACHINE: ConfigurationInput = { machines: [{ name: 'm', vcpus: 2, clock: 'manual' }] };
const FIRST = { session: 'a', epoch: '', event: '0', reply: '0' };

async function start(t: Test, input: ConfigurationInput = {}): Promise<TestServer> {
  const server = await TestServer.start({ ...MACHINE, ...input });
  t.teardown(server.stop);
  return server;
}

function connect(server: TestServer, vcpu = 0, protocols = [PROTOCOL], resumeToken?: string): Promise<VcpuClient> {
  return server.connect('m', vcpu, { protocols, ...(resumeToken !== undefined && { resumeToken }) });
}

/** Goes on with a session over a new connection. */
async function resume(server: TestServer, shown: object, vcpu = 0, resumeToken?: string): Promise<VcpuClient> {
  const client = await connect(server, vcpu, [PROTOCOL], resumeToken);
  send(client, { type: 'resume', ...FIRST, ...shown });
  return client;
}

function send(client: VcpuClient, message: object): void {
  client.socket.send(JSON.stringify(message));
}

/** The interrupts that came before a reply which has none before it. */
async function interruptsOf(client: VcpuClient): Promise<string[]> {
  await client.request({ type: 'sync' });
  return client.interrupts.map(({ sequence }) => sequence);
}

/** The connection breaks; what the server sent and the client has not read is lost. */
async function lose(client: VcpuClient): Promise<void> {
  client.socket.resume();
  await client.close();
}

t.test('interrupts sent into a dying connection come again, until the application has taken them', async (t) => {
  const server = await start(t);
  const boot = await server.connect('m', 0);
  await writeEntry(boot, 4, 0x30, 1);
  const first = await resume(server, {}, 1);
  await first.request({ type: 'sync' });
  first.socket.pause();
  for (let count = 0; count < 5; count++) await pulse(boot, 4);
  // Nothing of this was read.
  const { epoch } = first.hello;
  await lose(first);
  const second = await resume(server, { epoch, reply: '1' }, 1);
  const sequences = await interruptsOf(second);
  t.equal(sequences.length, 5);
  const { vcpus } = await server.get('/v1/machines/m');
  t.match(vcpus[1], { pending: 5, dropped: 0 }, 'they wait for an acknowledgement');
  send(second, { type: 'ack', event: sequences[2], reply: '2' });
  await second.request({ type: 'sync' });
  await lose(second);
  const third = await resume(server, { epoch, event: sequences[2], reply: '3' }, 1);
  t.strictSame(await interruptsOf(third), sequences.slice(3));
  t.equal(third.hello.request, '3', 'and the server says which requests it has');
});

t.test('each request is applied once, and its reply comes until the client has it', async (t) => {
  const server = await start(t);
  const first = await resume(server, {});
  for (const [port, value] of [
    ['0x20', '0x11'],
    ['0x21', '0x8'],
    ['0x21', '0x4'],
    ['0x21', '0x1'],
    ['0x21', '0xfb'],
  ])
    await first.request({ type: 'out', port, value });
  await pulse(first, 2);
  first.socket.pause();
  send(first, { type: 'inta', id: 100 });
  send(first, { type: 'line', id: 101, gsi: 3, level: 1 });
  const { epoch, resumeToken } = first.hello;
  const second = await resume(server, { epoch, reply: '7' }, 0, resumeToken);
  t.match(second.hello, { session: 'a', epoch });
  const accepted = Number(second.hello.request);
  t.ok(accepted >= 7 && accepted <= 9, 'what came before the new connection counts');
  if (accepted < 8) send(second, { type: 'inta', id: 100 });
  if (accepted < 9) send(second, { type: 'line', id: 101, gsi: 3, level: 1 });
  const reply = await second.next(({ id }) => id === 100);
  t.match(reply, { type: 'reply' });
  await second.next(({ id }) => id === 101);
  await lose(first);
  await lose(second);
  const third = await resume(server, { epoch, reply: '7' });
  t.equal(third.hello.request, '9');
  t.strictSame(await third.next(({ id }) => id === 100), reply, 'the same vector once more');
  await third.next(({ id }) => id === 101);
  await lose(third);
  const fourth = await resume(server, { epoch, reply: '9' });
  await fourth.request({ type: 'sync' });
  t.notOk(fourth.received.some(({ id }) => id === 100));
});

t.test('nothing comes between hello and resume, which is the first message and comes once', async (t) => {
  const server = await start(t);
  const boot = await server.connect('m', 0);
  await writeEntry(boot, 4, 0x30, 1);
  await pulse(boot, 4);
  const client = await connect(server, 1);
  t.match(client.hello, { type: 'hello', version: 1, epoch: /^.{8,}$/ });
  t.notOk('session' in client.hello);
  t.match(await client.request({ type: 'sync' }), { code: 'resume-first' });
  t.equal(client.received.length, 2);
  send(client, { type: 'ack', event: '9', reply: '9' });
  t.match(await client.next(({ type }) => type === 'error'), { code: 'resume-first', details: { type: 'ack' } });
  send(client, { type: 'resume', ...FIRST });
  t.equal((await interruptsOf(client)).length, 1);
  send(client, { type: 'resume', ...FIRST });
  t.match(await client.next(({ type }) => type === 'error'), { code: 'resume-first' });
  for (const message of [
    { type: 'resume', ...FIRST },
    { type: 'ack', event: '1', reply: '1' },
  ]) {
    send(boot, message);
    t.match(await boot.next(({ type }) => type === 'error'), { code: 'unknown-message-type' });
  }
});

t.test('a client whose session another one followed is closed', async (t) => {
  const server = await start(t);
  const first = await resume(server, {});
  await first.request({ type: 'sync' });
  const { epoch } = first.hello;
  await lose(first);
  const other = await resume(server, { session: 'b' });
  await other.request({ type: 'sync' });
  await lose(other);
  const back = await resume(server, { epoch, reply: '1' });
  t.strictSame(await back.closed, { code: 4001, reason: 'vcpu-replaced' });
  const old = await server.connect('m', 0);
  await old.request({ type: 'sync' });
  await old.close();
  t.strictSame(await (await resume(server, { session: 'b', epoch, reply: '1' })).closed, {
    code: 4001,
    reason: 'vcpu-replaced',
  });
});

t.test('an acknowledgement beside a request counts before the request is applied', async (t) => {
  const server = await start(t, { limits: { pendingInterrupts: 2 } });
  const boot = await server.connect('m', 0);
  await writeEntry(boot, 4, 0x30, 1);
  const client = await resume(server, {}, 1);
  await client.request({ type: 'sync' });
  const pending = async () => (await server.get('/v1/machines/m')).vcpus[1].pending;
  for (let count = 0; count < 2; count++) await pulse(boot, 4);
  const [first, second] = await interruptsOf(client);
  t.equal(await pending(), 2);
  const ack = { event: second, reply: '2' };
  t.match(await client.request({ type: 'line', gsi: 99, level: 1, ack }), { code: 'bad-gsi' });
  t.equal(await pending(), 2, 'a frame that is refused changes nothing');
  await client.request({ type: 'sync', ack: { event: first, reply: '2' } });
  t.equal(await pending(), 1);
  await client.request({ type: 'line', gsi: 4, level: 1, ack });
  t.equal((await interruptsOf(client)).length, 3, 'which made room for what the request caused');
  t.equal(await pending(), 1);
  const { epoch } = client.hello;
  await lose(client);
  const back = await resume(server, { epoch }, 1);
  await back.request({ type: 'sync' });
  const replies = back.received.filter(({ type }) => type === 'reply' || type === 'error');
  t.strictSame(
    replies.map(({ id }) => id),
    [3, 4, 5, 6, 1],
    'the replies to requests 1 and 2 are forgotten',
  );
});

const gapsOf = (client: VcpuClient) => client.received.filter(({ type }) => type === 'gap');

t.test('a gap stands for unacknowledged events beyond pendingInterrupts, and comes once there is room', async (t) => {
  const server = await start(t, { limits: { pendingInterrupts: 3 } });
  const boot = await server.connect('m', 0);
  await writeEntry(boot, 4, 0x30, 1);
  const client = await resume(server, {}, 1);
  await client.request({ type: 'sync' });
  for (let count = 0; count < 9; count++) await pulse(boot, 4);
  const taken = await interruptsOf(client);
  t.equal(taken.length, 3, 'replies come nevertheless');
  t.strictSame(gapsOf(client), [], 'it still grows');
  t.match((await server.get('/v1/machines/m')).vcpus[1], { pending: 3, dropped: 6 });
  await boot.request({ type: 'line', gsi: 4, level: 1 });
  send(client, { type: 'ack', event: taken[0], reply: '2' });
  await client.request({ type: 'sync' });
  t.equal(gapsOf(client).length, 1);
  const [gap] = gapsOf(client);
  t.ok(Number(gap.from) > Number(taken[2]));
  t.match(gap, { lines: { external: '0x00000010' } });
  t.notOk('intr' in gap, 'which is for vCPU 0');
  t.equal((await server.get('/v1/machines/m')).vcpus[1].dropped, 7);
  await boot.request({ type: 'line', gsi: 4, level: 0 });
  await pulse(boot, 4);
  const later = (await interruptsOf(client)).slice(3);
  t.equal(later.length, 1, 'there is room for one');
  t.ok(Number(later[0]) > Number(gap.to));
});

t.test('the gap of vCPU 0 has the level of INTR, of which a change may be among its events', async (t) => {
  for (const limit of [0, 1]) {
    const server = await start(t, { limits: { pendingInterrupts: limit } });
    const client = await resume(server, {});
    const out = (port: string, value: string) => client.request({ type: 'out', port, value });
    await out('0x20', '0x11');
    for (const value of ['0x8', '0x4', '0x1', '0xf7']) await out('0x21', value);
    await writeEntry(client, 4, 0x30, 0);
    await pulse(client, 4);
    t.equal((await interruptsOf(client)).length, 1, `one event goes out, also with ${limit}`);
    await pulse(client, 4);
    await client.request({ type: 'line', gsi: 3, level: 1 });
    t.notOk(client.received.some(({ type }) => type === 'intr' || type === 'gap'));
    send(client, { type: 'ack', event: client.interrupts[0].sequence, reply: '0' });
    await client.request({ type: 'sync' });
    t.match(gapsOf(client), [{ intr: 1, lines: { external: '0x00000008' } }]);
  }
});

t.test('of unacknowledged events those that find room come again after a lost connection', async (t) => {
  const server = await start(t, { limits: { pendingInterrupts: 3 } });
  const boot = await server.connect('m', 0);
  await writeEntry(boot, 4, 0x30, 1);
  const client = await resume(server, {}, 1);
  await client.request({ type: 'sync' });
  for (let count = 0; count < 5; count++) await pulse(boot, 4);
  const all = await interruptsOf(client);
  const { epoch } = client.hello;
  await lose(client);
  await pulse(boot, 4);
  const back = await resume(server, { epoch, reply: '2' }, 1);
  t.strictSame(await interruptsOf(back), all);
  send(back, { type: 'ack', event: all[2], reply: '3' });
  await back.request({ type: 'sync' });
  t.ok(gapsOf(back).length > 0);
  for (let count = 0; count < 3; count++) await pulse(boot, 4);
  t.equal((await interruptsOf(back)).length, 6, 'and it goes on');
  const acknowledged = gapsOf(back).at(-1).to;
  await lose(back);
  const last = await resume(server, { epoch, event: acknowledged, reply: '5' }, 1);
  t.equal((await interruptsOf(last)).length, 3);
  t.strictSame(gapsOf(last), []);
});

t.test('the epoch changes when the state is replaced, and then only', async (t) => {
  const server = await start(t);
  const client = await resume(server, {});
  await client.request({ type: 'sync' });
  const { epoch } = client.hello;
  const epochNow = async () => (await server.get('/v1/machines/m')).epoch;
  for (const what of ['pause', 'resume', 'reset']) {
    await server.request('POST', `/v1/machines/m/${what}`);
    t.equal(await epochNow(), epoch, what);
  }
  await writeEntry(client, 4, 0x30, 0);
  await client.request({ type: 'line', gsi: 5, level: 1 });
  const snapshot = await server.get('/v1/machines/m/snapshot');
  await client.request({ type: 'line', gsi: 5, level: 0 });
  await pulse(client, 4);
  await server.request('PUT', '/v1/machines/m/snapshot', snapshot);
  const restored = await client.next(({ type }) => type === 'restored');
  t.match(restored, { request: '9', event: snapshot.sequence, lines: { external: '0x00000020' }, intr: 0 });
  t.equal(restored.epoch, await epochNow());
  t.not(restored.epoch, epoch);
  t.equal((await client.request({ type: 'sync' })).type, 'reply');
  await lose(client);
  // It did not get it.
  const back = await resume(server, { epoch, reply: '10' });
  await back.request({ type: 'sync' });
  t.strictSame(back.received.slice(1, -1), [restored], 'in place of the events before');
  await server.request('DELETE', '/v1/machines/m');
  await server.request('POST', '/v1/machines', { name: 'm', clock: 'manual' });
  const remade = await resume(server, { epoch, reply: '10' });
  t.notOk('session' in remade.hello || 'request' in remade.hello);
  const made = await remade.next(({ type }) => type === 'restored');
  t.match(made, { sequence: '0', age: 0, event: '0', lines: { external: '0x00000000' } });
  t.notOk('request' in made, 'nobody knows what of the session the machine before had');
});

t.test('an orderly restart keeps the session; after a crash the state of the checkpoint is a new epoch', async (t) => {
  const folder = join(temporaryFolder(t), 'state');
  const settings = { stateDir: folder, stateIntervalMs: 3_600_000, resumeGraceMs: 3_600_000 };
  const first = await TestServer.start({ ...MACHINE, ...settings });
  const boot = await resume(first, {});
  await writeEntry(boot, 4, 0x30, 1);
  const client = await resume(first, { session: 'b' }, 1);
  await client.request({ type: 'subscribe', kinds: ['line'] });
  await pulse(boot, 4);
  const before = await interruptsOf(client);
  t.equal(before.length, 1);
  const { epoch } = client.hello;
  await client.close();
  await pulse(boot, 4);
  await first.stop();

  const second = await TestServer.start({ ...MACHINE, ...settings });
  const back = await resume(second, { session: 'b', epoch, event: before[0], reply: '2' }, 1);
  t.match(back.hello, { epoch, session: 'b', request: '2' });
  const boot2 = await resume(second, { epoch, reply: boot.hello.request ?? '8' });
  await pulse(boot2, 4);
  const after = await interruptsOf(back);
  t.equal(after.length, 2, 'the interrupt that waited, and a later one');
  t.notOk(back.received.some(({ type }) => type === 'gap' || type === 'restored'));
  t.equal(back.received.filter(({ type }) => type === 'irq').length, 5, 'the subscription goes on');
  // The state of this moment, as after a crash.
  await second.request('POST', '/v1/machines', { name: 'another' });
  await cp(folder, `${folder}-copy`, { recursive: true, filter: (file) => !file.endsWith('lock') });
  await second.stop();

  const third = await start(t, { ...settings, stateDir: `${folder}-copy` });
  const last = await resume(third, { session: 'b', epoch, event: after[1], reply: '3' }, 1);
  t.not(last.hello.epoch, epoch);
  t.match(last.hello, { session: 'b', request: '2' }, 'of the last checkpoint');
  await last.request({ type: 'sync' });
  const restored = last.received[1];
  t.match(restored, { type: 'restored', request: '2', epoch: last.hello.epoch });
  t.ok(restored.age >= 0);
  t.notOk(last.received.some(({ type }) => type === 'interrupt'));
});

t.test('an orderly restart of a running machine gives no interrupt twice', async (t) => {
  const folder = join(temporaryFolder(t), 'state');
  const settings: ConfigurationInput = {
    machines: [{ name: 'm', vcpus: 1 }],
    limits: { pendingInterrupts: 65_536 },
    stateDir: folder,
    stateCounter: 'continue',
  };
  const deadlines: number[] = [];
  let shown = {};
  for (let start = 0; start < 3; start++) {
    const server = await TestServer.start(settings);
    const client = await resume(server, shown);
    if (start === 0) {
      await client.request({ type: 'subscribe', kinds: ['apic'] });
      await writeEntry(client, 16, 0x30, 0);
      await client.write(timerConfiguration(0), 8, ENABLE | PERIODIC | VALUE_SET | route(16));
      await client.write(timerComparator(0), 8, TICKS);
      await client.write(timerComparator(0), 8, TICKS);
      await client.write(GENERAL_CONFIGURATION, 8, 1);
    }
    await client.request({ type: 'sync' });
    await server.stop();
    await client.closed;
    const last = client.received.findLast(({ type }) => type === 'irq')?.sequence ?? '0';
    for (const { type, deadline } of client.received) if (type === 'irq') deadlines.push(Number(deadline));
    const replies = client.received.filter(({ type }) => type === 'reply').length;
    shown = { epoch: client.hello.epoch, event: last, reply: String(Number(client.hello.request ?? 0) + replies) };
  }
  t.ok(deadlines.length > 3);
  const again = deadlines.filter((deadline, index) => index > 0 && deadline <= deadlines[index - 1]);
  t.strictSame(again, [], 'each deadline once, in order');
});
