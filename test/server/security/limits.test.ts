import { once } from 'node:events';
import { maxHeaderSize } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { WebSocket } from 'ws';
import { TestServer } from '../../support/server.js';
import { hex, VcpuClient } from '../../support/vcpu-client.js';

const UPGRADE =
  'connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';

function raw({ url }: TestServer): Socket {
  return connect(Number(new URL(url).port), '127.0.0.1');
}

/** What comes until the server closes. */
async function said(socket: Socket): Promise<string> {
  socket.on('error', () => {});
  return text(socket).catch(() => '');
}

const codeOf = (answer: string) => /"code":"([^"]+)"/.exec(answer)?.[1];

t.test('sizes: at the limit, and one more', async (t) => {
  const server = await TestServer.start({
    limits: { frameBytes: 1024, bodyBytes: 1024, batchAccesses: 4, machines: 2 },
  });
  t.teardown(server.stop);
  const client = await server.connect('default', 0);
  const frame = (bytes: number) => '{"type":"sync","id":1}'.padEnd(bytes);
  t.equal((await client.frame(frame(1024))).type, 'reply');
  t.equal((await client.frame(frame(1025))).code, 'frame-too-large');
  t.equal((await client.frame(frame(4096))).code, 'frame-too-large');
  const read = { type: 'read', address: '0xfed00000', size: 4 };
  t.equal((await client.request({ type: 'batch', accesses: Array(4).fill(read) })).type, 'reply');
  t.equal((await client.request({ type: 'batch', accesses: Array(5).fill(read) })).code, 'batch-too-large');
  client.socket.send(frame(4097));
  t.match(await client.closed, { code: 1009 });

  const body = (bytes: number) => server.request('POST', '/v1/machines/default/reset', '{}'.padEnd(bytes));
  t.equal((await body(1024)).status, 200);
  t.match(await body(1025), { status: 413, body: { error: { code: 'body-too-large' } } });
  t.equal((await server.request('POST', '/v1/machines', { name: 'second' })).status, 201);
  t.match(await server.request('POST', '/v1/machines', { name: 'third' }), {
    status: 409,
    body: { error: { code: 'too-many-machines' } },
  });
  const large = raw(server);
  large.write(`GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(maxHeaderSize)}\r\n\r\n`);
  t.match(await said(large), /^HTTP\/1\.1 431 .*"code":"headers-too-large"/s);
});

t.test('connections, of one address and in all', async (t) => {
  const server = await TestServer.start({ limits: { connections: 3, connectionsPerAddress: 2 } });
  t.teardown(server.stop);
  const from = async (localAddress: string, vcpu: number) => {
    const url = server.socketUrl(`/v1/machines/default/vcpus/${vcpu}`);
    const socket = new WebSocket(url, 'southbridge.v1.json', { localAddress });
    const refused = new Promise<{ status?: number; code?: string }>((resolve) => {
      socket.on('unexpected-response', async (_request, response) =>
        resolve({ status: response.statusCode, code: codeOf(await text(response)) }),
      );
    });
    socket.on('error', () => {});
    return Promise.race([refused, once(socket, 'open').then(() => socket)]);
  };
  const first = (await from('127.0.0.1', 0)) as WebSocket;
  const events = await fetch(`${server.url}/v1/machines/default/irqs/events`);
  t.match(await from('127.0.0.1', 1), { status: 429, code: 'too-many-from-address' }, 'streams count as well');
  const third = (await from('127.0.0.2', 1)) as WebSocket;
  t.type(third, WebSocket, 'another address is not held to it');
  t.match(await from('127.0.0.3', 2), { status: 503, code: 'too-many-connections' });
  t.equal((await server.request('GET', '/healthz')).status, 200, 'requests are no connections');
  third.close();
  await once(third, 'close');
  await events.body?.cancel();
  const open = async () =>
    Number(/^southbridge_connections\{kind="events"\} (\d)$/m.exec(await server.get('/metrics'))?.[1]);
  while ((await open()) > 0);
  const again = (await from('127.0.0.1', 1)) as WebSocket;
  t.type(again, WebSocket, 'who leaves makes room');
  again.close();
  first.close();
});

t.test('sockets', async (t) => {
  const server = await TestServer.start({ limits: { sockets: 3 } });
  t.teardown(server.stop);
  const open = await Promise.all(
    [1, 2, 3].map(async () => {
      const socket = raw(server);
      await once(socket, 'connect');
      return socket;
    }),
  );
  // The last of them is known to have been taken only when it is answered.
  const ask = async (socket: Socket) => {
    socket.write('GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n');
    return String((await once(socket, 'data'))[0]);
  };
  for (const socket of open) t.match(await ask(socket), /^HTTP\/1\.1 200/);
  t.equal(await said(raw(server)), '', 'one more is cut off');
  for (const socket of open) socket.destroy();
});

t.test('a slow request is answered 408; others are served', async (t) => {
  const server = await TestServer.start({ limits: { headersMs: 100, requestMs: 100 } });
  t.teardown(server.stop);
  const half = raw(server);
  half.write('GET /healthz HTTP/1.1\r\nhost: localhost\r\n');
  const drops = raw(server);
  drops.write(
    'POST /v1/machines HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
  );
  const silent = raw(server);
  const answers = [half, drops, silent].map(said);
  t.equal((await server.request('GET', '/healthz')).status, 200);
  for (const answer of (await Promise.all(answers)).slice(0, 2)) {
    t.match(answer, /^HTTP\/1\.1 408 /);
    t.equal(codeOf(answer), 'too-slow');
  }
});

t.test('who gives no sign of life is cut off, and nobody else', async (t) => {
  const server = await TestServer.start({ heartbeatMs: 50, limits: { missedHeartbeats: 3, bufferedBytes: 65_536 } });
  t.teardown(server.stop);
  const dead = raw(server);
  dead.write(`GET /v1/machines/default/vcpus/1 HTTP/1.1\r\nhost: localhost\r\n${UPGRADE}\r\n`);
  const alive = await server.connect('default', 0);
  t.match(await said(dead), /^HTTP\/1\.1 101 /);
  for (let pings = 0; pings < 6; pings++) await once(alive.socket, 'ping');
  t.equal(alive.socket.readyState, WebSocket.OPEN, 'who answers pings stays');
  t.ok(await VcpuClient.connect(server.socketUrl('/v1/machines/default/vcpus/1')), 'the vCPU is free again');

  const never = raw(server);
  never.on('error', () => {});
  never.write('GET /v1/machines/default/irqs/events HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await once(never, 'data');
  never.pause();
  const line = (level: number) => ({ type: 'line', gsi: 4, level });
  const open = async () =>
    Number(/^southbridge_connections\{kind="events"\} (\d)$/m.exec(await server.get('/metrics'))?.[1]);
  // Until the operating system's buffers are full, and for the heartbeats after that.
  while ((await open()) > 0) {
    const changes = Array.from({ length: 1000 }, (_, i) => alive.request(line(i % 2)));
    await Promise.all(changes);
  }
  t.ok(await alive.read(0xfed00000, 8), 'a reader that takes nothing is cut off');
});

t.test('a client that sends too many frames a second is slowed, and loses nothing', async (t) => {
  const server = await TestServer.start({ limits: { framesPerSecond: 100 } });
  t.teardown(server.stop);
  const client = await server.connect('default', 0);
  const start = performance.now();
  const replies = await Promise.all(
    Array.from({ length: 40 }, () => client.request({ type: 'read', address: hex(0xfed00000), size: 4 })),
  );
  t.ok(replies.every(({ type }) => type === 'reply'));
  // What is in one segment is served, and its sender waits for it afterwards. The first ten may come at once.
  await client.read(0xfed00000, 8);
  t.ok(performance.now() - start >= 250, 'thirty more take a third of a second');
});

t.test('pings of a client that reads no answers do not pile up', async (t) => {
  const server = await TestServer.start({ limits: { bufferedBytes: 65_536 } });
  t.teardown(server.stop);
  const socket = raw(server);
  socket.write(`GET /v1/machines/default/vcpus/0 HTTP/1.1\r\nhost: localhost\r\n${UPGRADE}\r\n`);
  await once(socket, 'data');
  socket.pause();
  // 125 bytes, masked with zeros; the answer has no mask.
  const ping = Buffer.alloc(131);
  ping.set([0x89, 0x80 | 125]);
  const pongBytes = 127;
  const pings = Buffer.concat(Array(10_000).fill(ping));
  const rounds = 25;
  for (let i = 0; i < rounds; i++) await new Promise((resolve) => socket.write(pings, resolve));
  const end = Buffer.from('{"type":"sync","id":9}');
  socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | end.length, 0, 0, 0, 0]), end]));
  let received = 0;
  for await (const chunk of socket) {
    received += chunk.length;
    if (chunk.includes('"id":9')) break;
  }
  t.ok(received > 65_536, 'pings are answered');
  t.ok(received < rounds * 10_000 * pongBytes, `but not all: ${received} bytes came`);
});
