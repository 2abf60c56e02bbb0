import t from 'tap';
import type { Access, ClientMessage } from '../../../src/protocol/client-message.js';
import type { ClientCodec } from '../../../src/protocol/codec.js';
import { jsonClientCodec } from '../../../src/protocol/json/client-codec.js';
import { protoClientCodec } from '../../../src/protocol/protobuf/client-codec.js';
import type { ServerMessage } from '../../../src/protocol/server-message.js';
import { CodedClient } from '../../support/coded-client.js';
import {
  ENABLE,
  GENERAL_CONFIGURATION,
  HPET,
  IOAPIC,
  MAIN_COUNTER,
  route,
  timerComparator,
  timerConfiguration,
} from '../../support/guest.js';
import { TestServer } from '../../support/server.js';

const CODECS: readonly ClientCodec[] = [jsonClientCodec, protoClientCodec];

const read = (address: number, size: number): Access => ({
  write: false,
  posted: false,
  address,
  size,
  low: 0,
  high: 0,
});
const write = (address: number, size: number, low: number, posted = false): Access => ({
  write: true,
  posted,
  address,
  size,
  low,
  high: 0,
});

/** Writes a redirection entry: unmasked, edge, physical destination 0. */
const entry = (pin: number, low: number): Access[] => [
  write(IOAPIC, 4, 0x11 + 2 * pin),
  write(IOAPIC + 0x10, 4, 0),
  write(IOAPIC, 4, 0x10 + 2 * pin),
  write(IOAPIC + 0x10, 4, low),
];

type Request = ClientMessage extends infer M ? (M extends ClientMessage ? Omit<M, 'id'> : never) : never;

/** Everything a vCPU can say, accepted and refused. */
const SCRIPT: readonly Request[] = [
  { type: 'access', access: read(HPET, 8) },
  { type: 'access', access: read(HPET, 4) },
  { type: 'access', access: read(HPET + 2, 1) },
  { type: 'access', access: write(MAIN_COUNTER, 8, 0x1234) },
  { type: 'access', access: write(MAIN_COUNTER, 8, 0x5678, true) },
  { type: 'access', access: read(MAIN_COUNTER, 8) },
  { type: 'access', access: write(0x1000, 4, 1, true) },
  { type: 'access', access: read(0x1000, 4) },
  { type: 'access', access: read(0x12_3456_7890, 4) },
  { type: 'access', access: { ...write(MAIN_COUNTER, 4, 0), high: 1 } },
  { type: 'batch', accesses: [] },
  { type: 'batch', accesses: [...entry(4, 0x34), ...entry(20, 0x35), read(IOAPIC + 0x10, 4)] },
  { type: 'batch', accesses: [write(HPET + 0x10, 4, 0, true), write(MAIN_COUNTER, 8, 0, true)] },
  { type: 'batch', accesses: [write(MAIN_COUNTER, 8, 0xffff), read(0, 4)] },
  { type: 'batch', accesses: Array(33).fill(read(HPET, 8)) },
  { type: 'access', access: read(MAIN_COUNTER, 8) },
  { type: 'subscribe', kinds: ['line', 'apic'] },
  { type: 'line', gsi: 4, level: 1 },
  { type: 'line', gsi: 4, level: 0 },
  { type: 'line', gsi: 24, level: 0 },
  {
    type: 'batch',
    accesses: [
      write(timerComparator(0), 8, 100),
      write(timerConfiguration(0), 4, ENABLE | route(20)),
      write(GENERAL_CONFIGURATION, 4, 1),
    ],
  },
  { type: 'step', ns: 1_000_000 },
  { type: 'step', ns: Number.MAX_SAFE_INTEGER },
  { type: 'subscribe', kinds: [] },
  { type: 'eoi', vector: 0x34 },
  { type: 'eoi', vector: 256 },
  { type: 'apic', logicalId: 1, format: 'cluster' },
  { type: 'in', port: 0x21 },
  { type: 'in', port: 0x70 },
  { type: 'out', port: 0x21, value: 0xff },
  { type: 'inta' },
  { type: 'hello', version: 7, capabilities: ['step', 'batch', 'levitation'] },
  { type: 'sync' },
];
/** Two writes and one batch are posted, of which one write is refused. */
const ANSWERS = SCRIPT.length - 2;

/** What does not depend on the form, nor on the wall clock or on chance. */
function comparable(message: ServerMessage): unknown {
  switch (message.type) {
    case 'hello':
      return { ...message, machine: '', resumeToken: message.resumeToken?.length };
    case 'irq':
      return { ...message, wallTime: message.wallTime > 1e12 };
    case 'reply':
      return message.results ? { ...message, results: { ...message.results, sizes: undefined } } : message;
    case 'error':
      return {
        ...message,
        message: message.message.replace(/machine \w+/, ''),
        details: { ...message.details, machine: '' },
      };
    default:
      return message;
  }
}

t.test('both forms tell the same story', async (t) => {
  const names = CODECS.map((_, index) => `m${index}`);
  const server = await TestServer.start({
    limits: { batchAccesses: 32 },
    machines: names.map((name) => ({ name, clock: 'manual' as const })),
  });
  t.teardown(server.stop);
  const stories: ServerMessage[][] = [];
  for (const [index, codec] of CODECS.entries()) {
    const client = await CodedClient.connect(server.socketUrl(`/v1/machines/${names[index]}/vcpus/0`), codec);
    t.equal(client.socket.protocol, codec.subprotocol);
    for (const [id, request] of SCRIPT.entries()) client.send({ ...request, id } as ClientMessage);
    await client.answers(ANSWERS);
    stories.push(client.received);
    client.socket.terminate();
  }
  const [text, binary] = stories;
  t.strictSame(binary.map(comparable), text.map(comparable));

  const at = (matches: (message: ServerMessage) => boolean) => binary.findIndex(matches);
  const answer = (request: Request) =>
    binary.find((each) => (each.type === 'reply' || each.type === 'error') && each.id === SCRIPT.indexOf(request));
  t.match(
    answer(SCRIPT[5]),
    { type: 'reply', value: { low: 0x5678, size: 8 } },
    'a read sees the posted write before it',
  );
  t.match(answer(SCRIPT[6]), { type: 'error', code: 'address-unassigned' }, 'a posted write that is refused');
  t.equal(answer(SCRIPT[4]), undefined, 'a posted write has no reply');
  t.equal(answer(SCRIPT[12]), undefined, 'nor has a batch of them');
  t.match(answer(SCRIPT[9]), { code: 'value-too-wide' });
  t.match(answer(SCRIPT[13]), { code: 'address-unassigned' });
  t.match(answer(SCRIPT[14]), { code: 'batch-too-large' });
  t.match(answer(SCRIPT[15]), { value: { low: 0, high: 0 } }, 'a refused batch changed nothing');
  t.match(answer(SCRIPT[19]), { code: 'bad-gsi' });
  t.match(answer(SCRIPT[22]), { code: 'step-too-far' });
  t.match(answer(SCRIPT[25]), { code: 'bad-vector' });
  t.match(answer(SCRIPT[28]), { code: 'bad-port' });
  t.strictSame(
    answer(SCRIPT[31]),
    { type: 'reply', id: 31, agreement: { version: 1, capabilities: ['batch', 'step'] } },
    'the server narrows what was asked for',
  );
  for (const [vector, cause] of [
    [0x34, 17],
    [0x35, 21],
  ]) {
    const interrupt = at((each) => each.type === 'interrupt' && each.message.vector === vector);
    const reply = at((each) => each.type === 'reply' && each.id === cause);
    t.ok(interrupt > 0 && interrupt < reply, 'an interrupt comes before the reply to what caused it');
  }
  t.ok(at((each) => each.type === 'irq' && each.event.kind === 'line' && each.event.gsi === 20) > 0);
});

t.test('posted writes give their credit back, if that was agreed', async (t) => {
  const server = await TestServer.start({ limits: { requestsUnderWay: 16 } });
  t.teardown(server.stop);
  for (const codec of CODECS) {
    const client = await CodedClient.connect(server.socketUrl('/v1/machines/default/vcpus/1'), codec);
    t.match(client.received[0], { type: 'hello', credit: 16 });
    const post = () => client.send({ type: 'access', id: 9, access: write(timerComparator(1), 8, 1, true) });
    for (let count = 0; count < 8; count++) post();
    client.send({ type: 'hello', id: 1, version: 1, capabilities: ['credit'] });
    for (let count = 0; count < 9; count++) post();
    client.send({ type: 'sync', id: 2 });
    await client.answers(2);
    t.strictSame(
      client.received.slice(1),
      [
        { type: 'reply', id: 1, agreement: { version: 1, capabilities: ['credit'] } },
        { type: 'credit', requests: 4 },
        { type: 'credit', requests: 4 },
        { type: 'reply', id: 2 },
      ],
      codec.subprotocol,
    );
    const closed = new Promise((resolve) => client.socket.once('close', resolve));
    client.socket.close();
    await closed;
  }
});

t.test('the IRQ stream has both forms', async (t) => {
  const server = await TestServer.start({ machines: [{ name: 'm', clock: 'manual' }] });
  t.teardown(server.stop);
  const streams: CodedClient[] = [];
  for (const codec of CODECS) streams.push(await CodedClient.connect(server.socketUrl('/v1/machines/m/irqs'), codec));
  const boot = await CodedClient.connect(server.socketUrl('/v1/machines/m/vcpus/0'), protoClientCodec);
  const seen = streams.map(
    ({ socket, received }) =>
      new Promise<void>((resolve) => socket.on('message', () => received.length === 3 && resolve())),
  );
  boot.send({ type: 'line', id: 1, gsi: 4, level: 1 });
  boot.send({ type: 'line', id: 2, gsi: 4, level: 0 });
  await Promise.all(seen);
  const [text, binary] = streams.map(({ received }) => received);
  t.strictSame(binary, text);
  t.match(binary, [
    { type: 'hello', version: 1, machine: 'm', sequence: 0 },
    { type: 'irq', sequence: 1, cause: 'external', event: { kind: 'line', gsi: 4, level: 1, source: 'external' } },
    { type: 'irq', sequence: 2, event: { level: 0 } },
  ]);
  for (const { socket } of [boot, ...streams]) socket.terminate();
});

t.test('events that waited for a vCPU arrive in the form of the new connection', async (t) => {
  const server = await TestServer.start({
    limits: { pendingInterrupts: 2 },
    machines: [{ name: 'm', clock: 'manual', vcpus: 2 }],
  });
  t.teardown(server.stop);
  const boot = await CodedClient.connect(server.socketUrl('/v1/machines/m/vcpus/0'), protoClientCodec);
  const toVcpu1 = entry(4, 0x34);
  toVcpu1[1] = { ...toVcpu1[1], low: 1 << 24 };
  boot.send({ type: 'batch', id: 0, accesses: toVcpu1 });
  let answers = 1;
  const stories: ServerMessage[][] = [];
  for (const codec of CODECS) {
    for (let count = 0; count < 4; count++) {
      boot.send({ type: 'line', id: 1, gsi: 4, level: 1 });
      boot.send({ type: 'line', id: 2, gsi: 4, level: 0 });
    }
    answers += 8;
    await boot.answers(answers);
    const client = await CodedClient.connect(server.socketUrl('/v1/machines/m/vcpus/1'), codec);
    client.send({ type: 'sync', id: 3 });
    await client.answers(1);
    stories.push(client.received.slice(1));
    // The server has let go of the vCPU when it answers the close frame.
    const closed = new Promise((resolve) => client.socket.once('close', resolve));
    client.socket.close();
    await closed;
  }
  const message = { vector: 0x34, deliveryMode: 0, level: false, logical: false, destination: 1 };
  const story = (first: number): ServerMessage[] => [
    { type: 'interrupt', sequence: first + 1, message },
    { type: 'interrupt', sequence: first + 4, message },
    { type: 'gap', from: first + 7, to: first + 10, lines: { hpet: 0, external: 0x10 } },
    { type: 'reply', id: 3 },
  ];
  t.strictSame(stories, [story(1), story(13)]);
  boot.socket.terminate();
});
