import { mock } from 'node:test';
import t, { type Test } from 'tap';
import { Session, type SessionRequest } from '../../src/client/session.js';
import { Vcpu } from '../../src/client/vcpu.js';
import type { ClientMessage, Resume } from '../../src/protocol/client-message.js';
import { isRequest } from '../../src/protocol/messages.js';
import { readServerFrame } from '../../src/protocol/protobuf/answers.js';
import { protoCodec } from '../../src/protocol/protobuf/codec.js';
import { clientFrame } from '../../src/protocol/protobuf/requests.js';
import type { Interrupt, Restored, ServerHello, ServerMessage } from '../../src/protocol/server-message.js';
import { SERVER_EXAMPLES } from '../conformance/examples.js';
import { FakeSocket, nextSocket } from '../support/fake-socket.js';
import { Driver, LANGUAGES } from '../support/language-drivers.js';
import { ScriptedServer } from '../support/scripted-server.js';
import { blockingClient } from '../support/session-clients.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const EPOCH = 'pX3qLw0aZk7d';
const LATEST_MS = 50;

function interrupt(sequence: number): Interrupt {
  return { ...(SERVER_EXAMPLES['interrupt-edge'] as Interrupt), sequence };
}

/** A session with version 1.1, whose application takes events when the test says so, and whose clock the test moves. */
class Fixture {
  readonly arrived: ServerMessage[] = [];
  readonly session: Session<SessionRequest>;
  socket!: FakeSocket;
  #id = 0;

  private constructor() {
    this.session = new Session(
      'http://test',
      'm',
      0,
      { WebSocket: FakeSocket as never, reconnect: { delayMs: 0 } },
      {
        hello: () => {},
        sent: () => {},
        event: (frame) => this.arrived.push(readServerFrame(frame)),
        answer: () => {},
        failed: () => {},
        ended: () => {},
      },
    );
  }

  static async open(t: Test): Promise<Fixture> {
    mock.timers.enable({ apis: ['setInterval'] });
    t.teardown(() => mock.timers.reset());
    const fixture = new Fixture();
    const socket = nextSocket();
    const opened = fixture.session.open();
    fixture.socket = await socket;
    fixture.socket.greet({ epoch: EPOCH, credit: 1024 });
    await opened;
    return fixture;
  }

  /** The connection breaks, and another one begins. */
  async comeBack(hello: Partial<ServerHello>): Promise<void> {
    const next = nextSocket();
    this.socket.close(1006);
    this.socket = await next;
    this.socket.greet({ credit: 1024, ...hello });
  }

  get name(): string {
    const [resume] = this.socket.messages;
    return resume.type === 'resume' ? resume.session : '';
  }

  request(): number {
    const id = ++this.#id;
    this.session.send({ id, frame: clientFrame({ type: 'sync', id }), posted: false });
    return id;
  }

  answer(id: number): void {
    this.socket.receive({ type: 'reply', id });
  }

  event(sequence: number): void {
    this.socket.receive(interrupt(sequence));
    this.session.took(interrupt(sequence));
  }

  get last(): ClientMessage | undefined {
    return this.socket.messages.at(-1);
  }
}

const acks = (messages: readonly ClientMessage[]) => messages.filter(({ type }) => type === 'ack');
const carriedBy = (message: ClientMessage | undefined) => (message && isRequest(message) ? message.ack : undefined);

t.test('an application that goes on making requests sends no acknowledgement alone', async (t) => {
  for (const pace of [1, 7, 20, 25]) {
    for (const hasEvents of [false, true]) {
      const fixture = await Fixture.open(t);
      const cameAt: number[] = [];
      let latest = 0;
      for (let turn = 0; turn < 100; turn++) {
        const now = turn * pace;
        const id = fixture.request();
        const { reply = 0, event = 0 } = carriedBy(fixture.last) ?? {};
        for (let count = cameAt.length; count > 0 && reply > 0; count--)
          latest = Math.max(latest, now - Number(cameAt.shift()));
        if (hasEvents && turn > 0)
          t.equal(event, turn, 'an event that was taken is acknowledged with the next request');
        if (hasEvents) fixture.event(turn + 1);
        fixture.answer(id);
        cameAt.push(now);
        mock.timers.tick(pace);
      }
      t.strictSame(acks(fixture.socket.messages), [], `a request every ${pace} ms`);
      t.ok(latest <= LATEST_MS && latest > 0, `the last after ${latest} ms`);
      mock.timers.reset();
    }
  }
});

t.test('without requests an acknowledgement goes out after 64 events or 50 ms', async (t) => {
  const fixture = await Fixture.open(t);
  fixture.answer(fixture.request());
  for (let wait = 0; wait < 10; wait++) {
    const { length } = fixture.socket.messages;
    let ms = 0;
    while (ms <= LATEST_MS && acks(fixture.socket.messages).length <= wait) {
      mock.timers.tick(1);
      ms++;
    }
    t.ok(ms <= LATEST_MS, `after ${ms} ms`);
    t.strictSame(fixture.socket.messages.slice(length), [{ type: 'ack', event: wait, reply: 1 }]);
    mock.timers.tick(3 * wait);
    t.equal(fixture.socket.messages.length, length + 1, 'once');
    fixture.event(wait + 1);
  }
  mock.timers.tick(200);
  for (let sequence = 101; sequence < 164; sequence++) fixture.event(sequence);
  const before = acks(fixture.socket.messages).length;
  fixture.event(164);
  t.strictSame(acks(fixture.socket.messages).slice(before), [{ type: 'ack', event: 164, reply: 1 }], 'at once');
});

t.test(
  'a request that is sent again carries no acknowledgement: its numbers may be those of another epoch',
  async (t) => {
    const fixture = await Fixture.open(t);
    const { name } = fixture;
    fixture.answer(fixture.request());
    fixture.event(41);
    const id = fixture.request();
    t.strictSame(carriedBy(fixture.last), { event: 41, reply: 1 });
    await fixture.comeBack({ epoch: 'another', session: name, request: 1 });
    const again = fixture.socket.messages.filter((message) => isRequest(message) && message.type === 'sync');
    t.strictSame(again, [{ type: 'sync', id }]);
    t.match(fixture.socket.messages[0], { type: 'resume', epoch: EPOCH, event: 41, reply: 1 });
  },
);

t.test('what the application takes of an earlier epoch is not acknowledged in the next', async (t) => {
  const fixture = await Fixture.open(t);
  const { name } = fixture;
  for (const sequence of [40, 41]) fixture.socket.receive(interrupt(sequence));
  await fixture.comeBack({ epoch: 'another', session: name, request: 0 });
  const restored = { ...(SERVER_EXAMPLES['restored-new'] as Restored), epoch: 'another' };
  fixture.socket.receive(restored);
  fixture.socket.receive(interrupt(1));
  t.equal(fixture.arrived.length, 4);
  for (const event of fixture.arrived.slice(0, 3)) fixture.session.took(event as Interrupt);
  const id = fixture.request();
  t.equal(carriedBy(fixture.last)?.event, 0, 'only the beginning of the epoch');
  fixture.answer(id);
  // Interrupt 2 is lost on its way.
  await fixture.comeBack({ epoch: 'another', session: name, request: 1 });
  t.match(fixture.socket.messages[0], { type: 'resume', epoch: 'another', event: 0 });
  fixture.socket.receive(interrupt(2));
  t.match(fixture.arrived.at(-1), { sequence: 2 });
});

t.test('a client that met a server of version 1 in between counts from zero', async (t) => {
  const fixture = await Fixture.open(t);
  fixture.event(41);
  await fixture.comeBack({ sequence: 7 });
  fixture.socket.receive(interrupt(8));
  await fixture.comeBack({ epoch: 'another', sequence: 0 });
  t.match(fixture.socket.messages[0], { type: 'resume', epoch: '', event: 0, reply: 0 });
  fixture.event(1);
  t.strictSame(
    fixture.arrived.map((event) => 'sequence' in event && event.sequence),
    [41, 8, 1],
  );
  fixture.request();
  t.match(carriedBy(fixture.last), { event: 1 });
});

// All clients, on real sockets

interface Client {
  /** Makes a request, and takes the events before its reply. */
  request(): Promise<unknown>;
  close(): Promise<unknown>;
}

async function promised(_: Test, url: string): Promise<Client> {
  const vcpu = await Vcpu.connect(url, 'm', 0, { onEvent: () => {} });
  return { request: () => vcpu.sync(), close: async () => vcpu.close() };
}

async function blocking(_: Test, url: string): Promise<Client> {
  const client = await blockingClient(url);
  return { request: () => client.perform({ kind: 'sync' }), close: client.close };
}

const CLIENTS: { name: string; skip: string | false; connect(t: Test, url: string): Promise<Client> }[] = [
  { name: 'promise client', skip: false, connect: promised },
  { name: 'blocking client', skip: false, connect: blocking },
  ...LANGUAGES.map(({ name, skip, driver }) => ({
    name: `client for ${name}`,
    skip,
    connect: async (t: Test, url: string) => {
      const [client] = await Driver.start(t, [...driver(temporaryFolder(t)), url, 'm', '0']);
      return { request: () => client.send('sync'), close: () => client.end() };
    },
  })),
];

for (const { name, skip, connect } of CLIENTS) {
  t.test(`${name}: the next request acknowledges the events that the application took`, { skip }, async (t) => {
    const [server, url] = await ScriptedServer.start(t);
    server.hello = {
      type: 'hello',
      version: 1,
      machine: 'm',
      vcpu: 0,
      sequence: 0,
      epoch: EPOCH,
      credit: 1024,
      request: 0,
    };
    const client = await connect(t, url);
    let sent = 0;
    const missing: string[] = [];
    server.onRequest = (message) => {
      if (message.type !== 'sync') return;
      const acknowledged = Math.max(
        0,
        ...server.messages().flatMap((each) => (each.type === 'ack' ? each.event : (carriedBy(each)?.event ?? []))),
      );
      if (acknowledged < sent) missing.push(`event ${acknowledged} of ${sent}`);
      server.events = [interrupt(++sent)];
    };
    for (let turn = 0; turn < 20; turn++) await client.request();
    t.strictSame(missing, []);
    const carried = server.messages().flatMap((message) => carriedBy(message) ?? []);
    t.ok(carried.length > 0, `${carried.length} beside requests, ${acks(server.messages()).length} alone`);
    t.ok(Math.max(...carried.map(({ reply }) => reply)) > 10, 'and with them the replies');
    await client.close();
  });
}

for (const { name, skip, driver } of LANGUAGES) {
  t.test(`client for ${name}: numbers of one epoch acknowledge nothing of another`, { skip }, async (t) => {
    const [server, url] = await ScriptedServer.start(t);
    const first: ServerHello = {
      type: 'hello',
      version: 1,
      machine: 'm',
      vcpu: 0,
      sequence: 0,
      credit: 1024,
      request: 0,
    };
    server.hello = { ...first, epoch: EPOCH };
    const [client] = await Driver.start(t, [...driver(temporaryFolder(t)), url, 'm', '0']);
    await client.send('sync');
    const { session } = server.messages()[0] as Resume;
    /** Answers nothing, and ends the connection behind these events. */
    const endBehind = (events: readonly ServerMessage[]) => {
      server.isSilent = true;
      server.onRequest = () => {
        for (const event of events) server.socket?.send(protoCodec.encode(event));
        server.isSilent = false;
        server.onRequest = () => {};
        server.socket?.close(1001);
      };
    };
    server.hello = { ...first, epoch: 'another', session, request: 1 };
    server.resumedEvents = [{ ...(SERVER_EXAMPLES['restored-new'] as Restored), epoch: 'another' }, interrupt(1)];
    endBehind([interrupt(41)]);
    t.match(await client.send('sync'), [/^interrupt 41 /, /^restored 1 0 /, /^interrupt 1 /, 'ok']);
    await client.send('sync');
    t.match(carriedBy(server.messages().at(-1)), { event: 1 });

    t.comment('a server of version 1 in between');
    server.hello = { ...first, sequence: 7 };
    endBehind([interrupt(42)]);
    t.match((await client.send('sync')).at(-1), 'error connection-lost', 'it may have been applied');
    server.hello = { ...first, epoch: 'a third' };
    server.resumedEvents = [interrupt(2)];
    endBehind([]);
    t.match(await client.send('sync'), ['error connection-lost']);
    server.frames.length = 0;
    await client.send('reconnect');
    t.match(server.messages()[0], { type: 'resume', epoch: '', event: 0, reply: 0 });
    t.match(await client.send('sync'), [/^interrupt 2 /, 'ok'], 'which is a new event');
    t.equal(await client.end(), 0);
  });
}
