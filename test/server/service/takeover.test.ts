import t from 'tap';
import { pulse, writeEntry } from '../../support/guest.js';
import { TestServer } from '../../support/server.js';

const refusal = (code: string) => ({ message: new RegExp(code) });

t.test('a resume token takes a vCPU over, and nothing else does', async (t) => {
  const server = await TestServer.start({ machines: [{ name: 'm', vcpus: 1 }] });
  t.teardown(server.stop);
  const first = await server.connect('m', 0);
  t.equal(first.socket.protocol, 'southbridge.v1.json');
  await t.rejects(server.connect('m', 0), refusal('vcpu-taken'));
  await t.rejects(
    server.connect('m', 0, { resumeToken: `${first.hello.resumeToken}x` }),
    refusal('wrong-resume-token'),
  );
  t.equal((await first.request({ type: 'sync' })).type, 'reply', 'the holder noticed nothing');

  const second = await server.connect('m', 0, { resumeToken: first.hello.resumeToken });
  t.same(await first.closed, { code: 4001, reason: 'vcpu-replaced' });
  t.equal((await second.request({ type: 'sync' })).type, 'reply');
  t.not(second.hello.resumeToken, first.hello.resumeToken, 'a token is good until its successor is used');
  await t.rejects(server.connect('m', 0, { resumeToken: first.hello.resumeToken }), refusal('wrong-resume-token'));
  await second.close();

  const third = await server.connect('m', 0);
  t.equal(third.hello.vcpu, 0, 'a vCPU that nobody holds needs no token');
});

t.test('interrupts wait for a vCPU that is away, and a gap replaces those beyond the limit', async (t) => {
  const server = await TestServer.start({
    limits: { pendingInterrupts: 3 },
    machines: [{ name: 'm', vcpus: 2, clock: 'manual' }],
  });
  t.teardown(server.stop);
  const boot = await server.connect('m', 0);
  await writeEntry(boot, 4, 0x30, 1);
  for (let count = 0; count < 5; count++) await pulse(boot, 4);

  const late = await server.connect('m', 1);
  await late.request({ type: 'sync' });
  const kept = late.interrupts.map(({ sequence }) => Number(sequence));
  t.equal(kept.length, 3);
  const gap = late.received[4];
  // Each pulse is three events: the line up, the message, the line down.
  const lines = { hpet: '0x00000000', external: '0x00000010' };
  t.same(gap, { type: 'gap', from: String(kept[2] + 3), to: String(kept[2] + 6), lines });
  const { vcpus } = await server.get('/v1/machines/m');
  t.match(vcpus[1], { connected: true, pending: 0, dropped: 2 });
  const metrics = await server.get('/metrics');
  t.match(metrics, /^southbridge_dropped_interrupts_total 2$/m);
  await pulse(boot, 4);
  t.ok(await late.interrupt(0x30), 'and goes on');
});

t.test('deleting a machine tells its vCPUs and subscribers, and frees its name and slot', async (t) => {
  const server = await TestServer.start({ limits: { machines: 1 }, machines: [{ name: 'm' }] });
  t.teardown(server.stop);
  const vcpu = await server.connect('m', 3);
  const { WebSocket } = await import('ws');
  const stream = new WebSocket(server.socketUrl('/v1/machines/m/irqs'));
  const streamClosed = new Promise<number>((resolve) => {
    stream.on('close', resolve);
  });
  await new Promise((resolve) => stream.once('message', resolve));
  for (let count = 0; count < 50; count++) {
    vcpu.socket.send(`{"type":"read","id":${count},"address":"0xfed000f0","size":8}`);
  }
  t.equal((await server.request('DELETE', '/v1/machines/m')).status, 204);
  t.same(await vcpu.closed, { code: 4002, reason: 'machine-closing' });
  t.equal(await streamClosed, 4002);
  for (let round = 0; round < 20; round++) {
    t.equal((await server.request('POST', '/v1/machines', { name: 'm' })).status, 201);
    const again = await server.connect('m', 0);
    t.equal(await again.read(0xfed00010, 8), 0n, 'the registers are those of a new machine');
    await again.write(0xfed00010, 8, 1);
    t.equal((await server.request('DELETE', '/v1/machines/m')).status, 204);
    await again.closed;
  }
  t.same((await server.get('/v1/machines')).machines, []);
});

t.test('a design that is not safe is accepted with a warning', async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  const warnings = async (name: string, locking: unknown) => {
    const { body } = await server.request('POST', '/v1/machines', { name, locking });
    return body.warnings.map(({ code }: { code: string }) => code);
  };
  t.same(await warnings('safe', 'lockless-irq'), []);
  t.same(await warnings('unsafe', 'nested-mutex'), ['unsafe-locking']);
  t.same(await warnings('stale', 'deferred-irq'), ['stale-locking']);
  t.same(await warnings('own', { mmio: 'bql', timer: 'device', irq: 'inline', control: 'none' }), ['unknown-locking']);
});
