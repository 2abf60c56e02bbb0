import t from 'tap';
import { EventSourceClient } from '../../support/event-source-client.js';
import { IOAPIC, LEVEL_TRIGGERED, pulse, writeEntry } from '../../support/guest.js';
import { TestServer } from '../../support/server.js';
import { hex, type Message, VcpuClient } from '../../support/vcpu-client.js';

const IRQS = '/v1/machines/m/irqs';
const sequence = ({ sequence }: Message) => Number(sequence);

t.test('the IRQ stream: filters, Server-Sent Events, resuming', async (t) => {
  const server = await TestServer.start({
    heartbeatMs: 10,
    // Missed heartbeats: the test stops reading on purpose.
    limits: {
      history: 64,
      bufferedBytes: 65_536,
      pendingInterrupts: 10,
      connections: 8,
      missedHeartbeats: 1_000_000,
    },
    machines: [{ name: 'm', clock: 'manual', vcpus: 2 }],
  });
  t.teardown(server.stop);
  const boot = await server.connect('m', 0);
  const events = (query = '', headers = {}) =>
    EventSourceClient.connect(`${server.url}${IRQS}/events${query}`, headers);
  const socket = (query = '') => VcpuClient.connect(server.socketUrl(IRQS + query));
  const irqs = (received: readonly Message[]) => received.filter(({ type }) => type === 'irq');
  /** A server learns a little later that a reader has gone. */
  const connected = async (count: number) => {
    const counts = new RegExp(`kind="irqs"} 0\n(.*\n)?.*kind="events"} ${count}\n`);
    while (!counts.test(await server.get('/metrics')));
  };
  const last = async () => Number((await server.get('/v1/machines/m')).sequence);
  await writeEntry(boot, 4, 0x30, 0);
  await writeEntry(boot, 5, 0x31, 1);

  const all = await events();
  t.match(all.received[0], { type: 'hello', machine: 'm', sequence: '0' });
  await pulse(boot, 4);
  await pulse(boot, 5);
  const end = await last();
  await all.next((message) => sequence(message) === end);

  t.test('every event comes with its number, cause and times', async (t) => {
    t.same(irqs(all.received).map(sequence), [1, 2, 3, 4, 5, 6]);
    const { epoch } = await server.get('/v1/machines/m');
    t.same(
      all.ids,
      [0, 1, 2, 3, 4, 5, 6].map((number) => `${epoch}:${number}`),
      'the id is a position to go on from, from the hello on',
    );
    const common = { cause: 'external', virtualTime: /^\d+$/, wallTime: /^\d+$/ };
    t.match(irqs(all.received).slice(0, 3), [
      { ...common, kind: 'line', gsi: 4, level: 1, source: 'external' },
      { ...common, kind: 'apic', pin: 4, vector: 0x30 },
      { ...common, kind: 'line', gsi: 4, level: 0 },
    ]);
  });

  t.test('filters choose, and numbers stay', async (t) => {
    for (const [query, expected] of [
      ['', [1, 2, 3, 4, 5, 6]],
      ['&kind=line', [1, 3, 4, 6]],
      ['&kind=apic,line', [1, 2, 3, 4, 5, 6]],
      ['&gsi=4', [1, 2, 3]],
      ['&gsi=5,4&kind=apic', [2, 5]],
      ['&vector=49', [5]],
      ['&vector=48,49&gsi=4', [2]],
      ['&kind=line&vector=48', []],
      ['&gsi=31', []],
    ] as const) {
      const marker = 7;
      const streams = [await events(`?after=0${query}`), await socket(`?after=0${query}`)];
      for (const stream of streams) {
        // What is resumed is sent right after the hello, and before a comment or the answer to a close frame.
        if (stream instanceof EventSourceClient) await stream.comment();
        await stream.close();
        t.same(irqs(stream.received).map(sequence), expected, `${query || 'no filter'}, ${stream.constructor.name}`);
        t.notOk(
          stream.received.some(({ type }) => type === 'gap'),
          'what was filtered out is no gap',
        );
        t.ok(irqs(stream.received).every((message) => sequence(message) < marker));
      }
    }
  });

  t.test('what is malformed is refused with a code, on both', async (t) => {
    const bad = [
      'kind=',
      'kind=lines',
      'kind=line,',
      'gsi=32',
      'gsi=-1',
      'gsi=4%205',
      'vector=256',
      'vector=0x30',
      'after=x',
    ];
    for (const query of [...bad, 'gsi=4&gsi=5']) {
      const { status, body } = await server.request('GET', `${IRQS}/events?${query}`);
      t.match({ status, code: body.error.code }, { status: 400, code: 'bad-value' }, query);
      await t.rejects(socket(`?${query}`), { message: /^400 .*bad-value/ }, query);
    }
    const position = await server.request('GET', `${IRQS}/events`, undefined, { 'last-event-id': 'x' });
    t.match(position.body.error, { code: 'bad-value', key: 'Last-Event-ID' });
    t.match((await server.request('GET', '/v1/machines/no/irqs/events')).body.error, { code: 'unknown-machine' });
  });

  t.test('Last-Event-ID resumes, and goes before the URL', async (t) => {
    const back = await events('?after=0', { 'last-event-id': '4' });
    await back.next((message) => sequence(message) === end && message.type === 'irq');
    t.same(irqs(back.received).map(sequence), [5, 6]);
    const { epoch } = await server.get('/v1/machines/m');
    t.same(back.ids, [`${epoch}:5`, `${epoch}:6`], 'the hello moves nobody on who has not caught up');
    await back.close();
    const again = await events('', { 'last-event-id': back.ids[0] });
    await again.next((message) => sequence(message) === end && message.type === 'irq');
    t.same(again.ids, [`${epoch}:6`], 'with the epoch');
    await again.close();
    const other = await events(`?after=another:${end}`);
    t.match(await other.next(({ type }) => type === 'gap'), { from: '1', to: String(end) }, 'of another epoch');
    await other.close();
  });

  t.test('an idle stream shows that it is alive', async (t) => {
    await all.comment();
    t.pass('a comment came');
  });

  t.test('connections are counted and limited', async (t) => {
    await connected(1);
    const more = await Promise.all(Array.from({ length: 6 }, () => events()));
    t.match((await server.request('GET', `${IRQS}/events`)).body.error, { code: 'too-many-connections' });
    for (const stream of more) await stream.close();
    await connected(1);
  });

  t.test('a subscriber that reads too slowly gets a gap, and the rest in order', async (t) => {
    const slow = await events('?kind=apic');
    slow.pause();
    await writeEntry(boot, 6, 0x32 | LEVEL_TRIGGERED, 1);
    await boot.request({ type: 'line', gsi: 6, level: 1 });
    const eoi = { type: 'write', address: hex(IOAPIC + 0x40), size: 4, value: '0x32' };
    // Far more than the operating system's buffers hold.
    for (let round = 0; round < 20; round++) await boot.request({ type: 'batch', accesses: Array(4000).fill(eoi) });
    slow.resume();
    await slow.next(({ type }) => type === 'gap');
    // What comes before it has caught up may be in another gap.
    const missed = await last();
    await slow.next((message) => Number(message.to ?? message.sequence) >= missed);
    await boot.request({ type: 'line', gsi: 6, level: 0 });
    await pulse(boot, 4);
    const final = (await last()) - 1;
    await slow.next((message) => sequence(message) === final);
    let position = 6;
    let rises = true;
    let holes = 0;
    for (const message of slow.received.slice(1)) {
      const from = Number(message.from ?? message.sequence);
      rises &&= from > position;
      // Two line changes of GSI 6 and one of GSI 4 are filtered out.
      holes += from - position - 1;
      position = Number(message.to ?? message.sequence);
    }
    t.ok(rises, 'numbers rise, gaps included');
    t.equal(position, final);
    t.equal(holes, 3, 'all that neither came nor is in a gap was filtered out');
    t.equal(all.socketClosed, false, 'nobody else is affected');
    await slow.close();
  });

  t.test('a stream ends with its machine', async (t) => {
    await server.request('DELETE', '/v1/machines/m');
    await all.ended;
    t.match((await server.request('GET', `${IRQS}/events`)).body.error, { code: /unknown-machine|machine-closing/ });
  });
});

t.test('the server shuts down with subscribers connected', async () => {
  const server = await TestServer.start();
  const stream = await EventSourceClient.connect(`${server.url}/v1/machines/default/irqs/events`);
  await server.stop();
  await stream.ended;
});
