import t from 'tap';
import { IOAPIC, LEVEL_TRIGGERED, pulse, writeEntry } from '../../support/guest.js';
import { TestServer } from '../../support/server.js';
import { hex, type Message } from '../../support/vcpu-client.js';

t.test('a client that sends faster than it is served is read no further, and loses nothing', async (t) => {
  const server = await TestServer.start({ limits: { requestsUnderWay: 8 } });
  t.teardown(server.stop);
  const client = await server.connect('default', 0);
  const count = 5000;
  const all = client.next(({ type, id }) => type === 'reply' && id === count);
  for (let id = 1; id <= count; id++) {
    client.socket.send(`{"type":"read","id":${id},"address":"0xfed00000","size":8}`);
  }
  await all;
  const ids = client.received.slice(1).map(({ id }) => id);
  t.same(
    ids,
    Array.from({ length: count }, (_, i) => i + 1),
    'every request is answered, in order',
  );
});

t.test('a client that reads too slowly gets a gap, and the rest in order', async (t) => {
  const server = await TestServer.start({
    limits: { bufferedBytes: 65_536, pendingInterrupts: 100 },
    machines: [{ name: 'm', clock: 'manual', vcpus: 2 }],
  });
  t.teardown(server.stop);
  const boot = await server.connect('m', 0);
  const slow = await server.connect('m', 1);
  await writeEntry(boot, 4, 0x30 | LEVEL_TRIGGERED, 1);
  await boot.request({ type: 'line', gsi: 4, level: 1 });
  slow.socket.pause();
  // Each EOI finds the line still high, and makes the IOAPIC send again.
  const eoi = { type: 'write', address: hex(IOAPIC + 0x40), size: 4, value: '0x30' };
  const batch = { type: 'batch', accesses: Array(4000).fill(eoi) };
  const dropped = async () => (await server.get('/v1/machines/m')).vcpus[1].dropped;
  let sent = 1;
  // Until the operating system's buffers are full as well.
  while ((await dropped()) < 100) {
    t.equal((await boot.request(batch)).type, 'reply');
    sent += batch.accesses.length;
  }
  slow.socket.resume();
  t.equal((await slow.request({ type: 'sync' })).type, 'reply');

  const missing = await dropped();
  let last = 0;
  let gaps = 0;
  let inOrder = true;
  for (const message of slow.received.filter(({ type }: Message) => type === 'interrupt' || type === 'gap')) {
    const from = Number(message.from ?? message.sequence);
    inOrder &&= from > last;
    last = Number(message.to ?? message.sequence);
    if (message.type === 'gap') gaps++;
  }
  t.ok(inOrder, 'sequence numbers rise, gaps included');
  t.ok(gaps >= 1, 'there is a gap');
  t.equal(slow.interrupts.length + missing, sent, 'every interrupt was sent or counted');
});

t.test('the IRQ stream tells everything, numbered', async (t) => {
  const server = await TestServer.start({ machines: [{ name: 'm', clock: 'manual' }] });
  t.teardown(server.stop);
  const { WebSocket } = await import('ws');
  const stream = new WebSocket(server.socketUrl('/v1/machines/m/irqs'));
  const events: Message[] = [];
  stream.on('message', (data) => events.push(JSON.parse(String(data))));
  await new Promise((resolve) => stream.once('message', resolve));
  const boot = await server.connect('m', 0);
  await boot.request({ type: 'subscribe', kinds: ['apic'] });
  await writeEntry(boot, 4, 0x30, 0);
  await pulse(boot, 4);
  const last = new Promise<void>((resolve) => {
    stream.on('message', () => events.length === 5 && resolve());
    if (events.length >= 5) resolve();
  });
  await boot.request({ type: 'line', gsi: 4, level: 1 });
  await Promise.race([last, new Promise((resolve) => stream.once('close', resolve))]);
  t.match(events[0], { type: 'hello', version: 1, machine: 'm', sequence: '0' });
  t.match(events.slice(1, 4), [
    {
      type: 'irq',
      kind: 'line',
      sequence: '1',
      gsi: 4,
      level: 1,
      source: 'external',
      cause: 'external',
      virtualTime: '0',
    },
    { type: 'irq', kind: 'apic', sequence: '2', pin: 4, vector: 0x30, destination: 0, deliveryMode: 'fixed' },
    { type: 'irq', kind: 'line', sequence: '3', gsi: 4, level: 0 },
  ]);
  t.match(
    boot.received.filter(({ type }) => type === 'irq' || type === 'interrupt').slice(0, 2),
    [
      { type: 'irq', kind: 'apic', sequence: '2' },
      { type: 'interrupt', sequence: '2', vector: 0x30 },
    ],
    'a vCPU that subscribed gets the kinds that it asked for',
  );
  stream.terminate();
});
