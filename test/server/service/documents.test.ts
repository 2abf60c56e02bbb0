import t from 'tap';
import { TestServer } from '../../support/server.js';

t.test('the server describes itself', async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);

  const openapi = await server.get('/docs/json');
  t.equal(openapi.openapi, '3.1.0');
  const operations = Object.entries(openapi.paths).flatMap(([path, methods]) =>
    Object.keys(methods as object).map((method) => `${method} ${path}`),
  );
  for (const operation of [
    'get /v1/machines',
    'post /v1/machines',
    'delete /v1/machines/{machine}',
    'put /v1/machines/{machine}/mmio/{address}',
    'post /v1/machines/{machine}/lines/{gsi}',
    'get /readyz',
  ]) {
    t.ok(operations.includes(operation), operation);
  }
  const page = await server.request('GET', '/docs/api');
  t.equal(page.status, 200);
  const policy = page.headers.get('content-security-policy') ?? '';
  t.match(policy, /default-src 'self'/);
  t.notMatch(policy, /upgrade-insecure-requests|https:/);
  for (const [, path] of page.body.matchAll(/(?:href|src)="([^"]+)"/g)) {
    t.equal((await server.request('GET', path)).status, 200, `${path} comes from this server`);
  }
  t.match(await server.get('/docs/protocol'), /<h1 id=[^>]*>The vCPU socket and the IRQ stream/);
  t.match(await server.get('/docs/protocol.md'), /^# The vCPU socket and the IRQ stream/);
  t.match(await server.get('/docs/readme'), /<svg class="sequence"/);
});

t.test('metrics tell of locks, machines and connections', async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  const client = await server.connect('default', 0);
  await client.read(0xfed00000, 8);
  const text: string = await server.get('/metrics');
  t.match(
    text,
    /^southbridge_lock_acquisitions_total\{machine="default",locking="lockless-timer",lock="device",site="mmio-read"\} 1$/m,
  );
  t.match(text, /^southbridge_machines 1$/m);
  t.match(text, /^southbridge_connections\{kind="vcpu"\} 1$/m);
  t.match(text, /^southbridge_missed_wakeups_total 0$/m);
  const gauges = [...text.matchAll(/^# TYPE (\S+) gauge$/gm)].map(([, name]) => name);
  t.same(
    gauges.filter((name) => name.endsWith('_total')),
    [],
    'no gauge has the name of a counter',
  );
});

t.test('views show registers with their fields, and disturb nothing', async (t) => {
  const server = await TestServer.start({ machines: [{ name: 'm', clock: 'manual' }] });
  t.teardown(server.stop);
  const client = await server.connect('m', 0);
  await client.write(0xfec00000, 4, 0x15);
  await client.write(0xfed00108, 8, 0x1234);
  await client.write(0xfed00100, 8, 0x2004);
  const hpet = await server.get('/v1/machines/m/hpet');
  t.match(hpet.timers[0], { enabled: true, route: 16, trigger: 'edge', comparator: '0x0000000000001234' });
  t.match(hpet.capabilities, { periodFs: '10000000', vendor: '0x8086', timers: 3 });
  const ioapic = await server.get('/v1/machines/m/ioapic');
  t.match(ioapic, { select: '0x15', version: '0x20' });
  t.equal(ioapic.entries.length, 24);
  t.match(ioapic.entries[2], { pin: 2, masked: true, register: '0x0000000000010000' });
  t.equal(await client.read(0xfec00000, 4), 0x15n, 'the select register is the guest’s');

  for (const [port, value] of [
    ['0x20', '0x11'],
    ['0x21', '0x40'],
    ['0x21', '0x04'],
    ['0x21', '0x01'],
    ['0x21', '0x7f'],
  ]) {
    await client.request({ type: 'out', port, value });
  }
  t.match(await client.request({ type: 'in', port: '0x21' }), { type: 'reply', value: '0x7f' });
  await client.request({ type: 'line', gsi: 7, level: 1 });
  t.match(await client.next(({ type }) => type === 'intr'), { level: 1 });
  const { pic } = await server.get('/v1/machines/m/ioapic');
  t.match(pic, { intr: 1, master: { irr: '0x80', isr: '0x00', imr: '0x7f', vectorBase: 0x40, initialised: true } });
  t.match(await client.request({ type: 'inta' }), { type: 'reply', vector: 0x47 });
  t.match(await client.next(({ type }) => type === 'intr'), { level: 0 });
});
