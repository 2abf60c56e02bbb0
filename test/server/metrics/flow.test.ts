import { connect } from 'node:net';
import t from 'tap';
import { parseExposition } from '../../support/exposition.js';
import { IOAPIC, LEVEL_TRIGGERED, writeEntry } from '../../support/guest.js';
import { TestServer } from '../../support/server.js';
import { hex } from '../../support/vcpu-client.js';

async function metrics(server: TestServer) {
  const families = parseExposition(await server.get('/metrics'));
  return (name: string, labels: { readonly [label: string]: string } = {}) => {
    const samples = families.get(`southbridge_${name}`)?.samples ?? [];
    const found = samples.find((sample) =>
      Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    );
    if (!found) throw new Error(`no ${name} ${JSON.stringify(labels)}`);
    return found.value;
  };
}

t.test('the limits are exported as configured', async (t) => {
  const server = await TestServer.start({ limits: { pendingInterrupts: 17, requestsUnderWay: 8 } });
  t.teardown(server.stop);
  const value = await metrics(server);
  t.equal(value('limit', { limit: 'pendingInterrupts' }), 17);
  t.equal(value('limit', { limit: 'requestsUnderWay' }), 8);
  t.equal(value('limit', { limit: 'history' }), 4096);
});

t.test('a socket with too many requests in flight is paused, and counted', async (t) => {
  const server = await TestServer.start({ limits: { requestsUnderWay: 8 }, execution: 'threads' });
  t.teardown(server.stop);
  const client = await server.connect('default', 0);
  const count = 2000;
  const all = client.next(({ type, id }) => type === 'reply' && id === count);
  for (let id = 1; id <= count; id++) {
    client.socket.send(`{"type":"read","id":${id},"address":"0xfed00000","size":8}`);
  }
  await all;
  const value = await metrics(server);
  t.ok(value('socket_pauses_total') > 0);
  t.equal(value('paused_sockets'), 0, 'it is read again');
  t.equal(value('requests_under_way'), 0);
  t.equal(value('event_ring_records'), 0);
});

t.test(
  'events queued for slow readers and disconnected vCPUs are exported, and dropped ones are counted',
  async (t) => {
    const server = await TestServer.start({
      limits: { bufferedBytes: 65_536, pendingInterrupts: 100 },
      machines: [{ name: 'm', clock: 'manual', vcpus: 2 }],
    });
    t.teardown(server.stop);
    const boot = await server.connect('m', 0);
    // vCPU 1 is disconnected; the reader of the stream reads nothing but its head.
    await writeEntry(boot, 4, 0x30 | LEVEL_TRIGGERED, 1);
    await boot.request({ type: 'line', gsi: 4, level: 1 });
    const { port } = new URL(server.url);
    const reader = connect({ port: Number(port), host: '127.0.0.1' });
    t.teardown(() => reader.destroy());
    reader.write('GET /v1/machines/m/irqs/events HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await new Promise((resolve) => reader.once('data', resolve));
    reader.pause();
    // Each EOI finds the line still high, so the IOAPIC sends again.
    const eoi = { type: 'write', address: hex(IOAPIC + 0x40), size: 4, value: '0x30' };
    let value = await metrics(server);
    while (value('pending_events', { kind: 'events' }) < 100) {
      await boot.request({ type: 'batch', accesses: Array(4000).fill(eoi) });
      value = await metrics(server);
    }
    t.equal(value('congested_connections', { kind: 'events' }), 1);
    t.ok(value('congestions_total', { kind: 'events' }) > 0);
    t.ok(value('buffered_bytes', { kind: 'events' }) >= 65_536);
    t.equal(value('pending_events', { kind: 'events' }), 100);
    t.ok(value('gaps_total', { kind: 'events' }) > 0);

    t.equal(value('pending_events', { kind: 'vcpu' }), 100);
    t.equal(value('gaps_total', { kind: 'vcpu' }), 1, 'one gap, which grows');
    t.equal(value('dropped_events_total', { kind: 'vcpu' }), value('dropped_interrupts_total'));
    t.equal(value('congested_connections', { kind: 'vcpu' }), 0);

    reader.destroy();
    await server.mainLoopIdle();
    while (value('congested_connections', { kind: 'events' }) > 0) value = await metrics(server);
    t.equal(value('pending_events', { kind: 'events' }), 0, 'nothing is kept for a reader that has left');
  },
);
