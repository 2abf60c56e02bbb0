import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import t, { type Test } from 'tap';
import type { ConfigurationInput } from '../../../src/config/schema.js';
import { endStalled } from '../../../src/server/security/sockets.js';
import { certificate, skipTls } from '../../support/certificate.js';
import { TestServer } from '../../support/server.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { roleTokens } from '../../support/token-file.js';

const QUICK = { headersMs: 100, requestMs: 100 };

async function start(t: Test, input: ConfigurationInput): Promise<{ server: TestServer; port: number }> {
  const server = await TestServer.start(input);
  t.teardown(server.stop);
  return { server, port: Number(new URL(server.url).port) };
}

/** A peer that never ends a connection itself, and need not read what it is sent. */
async function peer(t: Test, port: number, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true });
  socket.on('error', () => {});
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** `once` would reject with what the connection failed with. */
function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
}

/** Resolves when the server has ended its half. */
function endOf(socket: Socket): Promise<void> {
  const ended = new Promise<void>((resolve) => {
    if (socket.readableEnded) resolve();
    else socket.once('end', () => resolve());
  });
  return Promise.race([ended, closeOf(socket)]);
}

/** Resolves when a request of another peer is answered. */
async function served(t: Test, port: number): Promise<void> {
  while ((await ask(await peer(t, port), '', '/healthz')) !== 200);
}

/** Resolves when the server no longer has the connection, which a peer sees when it sends. */
async function ended(socket: Socket): Promise<void> {
  const closed = closeOf(socket);
  const timer = setInterval(() => socket.write('x'), 20);
  await closed;
  clearInterval(timer);
}

/** Bytes that a peer may send before it stops. */
const UNFINISHED = {
  nothing: '',
  'a line': 'GET /healthz HTTP/1.1\r\n',
  headers: 'GET /healthz HTTP/1.1\r\nhost: localhost\r\n',
  'part of a body':
    'POST /v1/machines HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
  'what is no HTTP': 'rubbish\r\n\r\n',
};

for (const [what, bytes] of Object.entries(UNFINISHED)) {
  t.test(`a peer that sends ${what}, and does not close after the refusal, loses its place`, async (t) => {
    const { port } = await start(t, { limits: { ...QUICK, sockets: 4 } });
    const sockets = await Promise.all(Array.from({ length: 4 }, () => peer(t, port)));
    for (const socket of sockets) socket.write(bytes);
    // They take all places, and read what they are sent.
    for (const socket of sockets) socket.resume();
    await Promise.all(sockets.map((socket) => endOf(socket)));
    // The server has ended its half. Its other half would keep the place.
    await served(t, port);
    t.pass('others are served');
    await Promise.all(sockets.map(ended));
  });
}

t.test('peers that do not read their answers lose their places', async (t) => {
  const { port } = await start(t, { limits: { ...QUICK, sockets: 4 } });
  const sockets = await Promise.all(Array.from({ length: 4 }, () => peer(t, port)));
  // More than the buffers of both ends take.
  const requests = 'GET /docs/json HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(200);
  for (const socket of sockets) socket.pause().write(requests);
  await served(t, port);
  t.pass('others are served');
});

t.test('of connections on which nothing moves, those that wait for an answer stay', async (t) => {
  const answers = new Map<Socket, ServerResponse>();
  const server = createServer(({ socket, url }, response) => {
    answers.set(socket, response);
    if (url === '/answered') response.end('answer');
    // More than the buffers of both ends take.
    if (url === '/unread') response.end(Buffer.alloc(64 << 20));
  });
  // Node's own deadline for idle connections is no part of this.
  server.keepAliveTimeout = 0;
  endStalled(server, 50, (socket) => answers.get(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  /** Sends a request, and resolves to both ends of its connection. */
  const request = async (path: string) => {
    const connected = once(server, 'connection') as Promise<[Socket]>;
    const client = await peer(t, port);
    const [socket] = await connected;
    client.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    return { client, socket };
  };
  const answered = await request('/answered');
  answered.client.resume();
  await closeOf(answered.socket);
  t.pass('one that is idle after its answer is ended');
  const unread = await request('/unread');
  unread.client.pause();
  await closeOf(unread.socket);
  t.pass('one whose peer does not take the answer is ended');
  const owed = await request('/owed');
  owed.client.resume();
  await once(owed.socket, 'timeout');
  t.notOk(owed.socket.destroyed, 'one that the server owes an answer stays');
  answers.get(owed.socket)?.end('late');
  t.match(String(await once(owed.client, 'data')), /^HTTP\/1\.1 200/);
  const behind = await request('/owed');
  const first = answers.get(behind.socket);
  behind.client.resume().write('GET /answered HTTP/1.1\r\nhost: localhost\r\n\r\n');
  while (answers.get(behind.socket) === first) await once(behind.socket, 'data');
  await once(behind.socket, 'timeout');
  t.notOk(behind.socket.destroyed, 'also if the answer to a later request is complete');
  behind.client.destroy();
  const raw = once(server, 'connection') as Promise<[Socket]>;
  const mute = (await peer(t, port)).pause();
  const [socket] = await raw;
  socket.write(Buffer.alloc(64 << 20));
  await closeOf(socket);
  t.pass('one that does not take what came without a request is ended');
  mute.destroy();
});

t.test('a TLS handshake that does not come is cut off in the time for headers', { skip: skipTls }, async (t) => {
  const tls = certificate(temporaryFolder(t), 'server');
  const { port } = await start(t, { tls, limits: { ...QUICK, sockets: 4 } });
  for (const bytes of ['', '\x16\x03\x01', 'GET / HTTP/1.1\r\n\r\n']) {
    const sockets = await Promise.all(Array.from({ length: 4 }, () => peer(t, port)));
    for (const socket of sockets) socket.resume().write(Buffer.from(bytes, 'latin1'));
    await Promise.all(sockets.map((socket) => endOf(socket)));
    await Promise.all(sockets.map(ended));
    const good = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(good, 'secureConnect');
    good.destroy();
    await once(good, 'close');
  }
  t.pass('and others are served');
});

/** Sends a request over a connection, and resolves to the status; 0 if the server ended it. */
async function ask(socket: Socket, headers = '', path = '/v1/machines'): Promise<number> {
  const answer = Promise.race([once(socket, 'data').catch(() => []), endOf(socket).then(() => [])]);
  socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n${headers}\r\n`);
  const [data] = await answer;
  return Buffer.isBuffer(data) ? Number(/^HTTP\/1\.1 (\d+)/.exec(data.toString())?.[1]) : 0;
}

t.test('one address has half of all places, before it shows a token', async (t) => {
  const { file, tokens } = roleTokens(t);
  const { port } = await start(t, { tokenFile: file, limits: { sockets: 16 } });
  const bearer = `authorization: Bearer ${tokens.observe}\r\n`;
  const silent: Socket[] = [];
  for (let count = 0; count < 8; count++) {
    const socket = await peer(t, port);
    t.equal(await ask(socket), 401, `connection ${count + 1} of the address is answered`);
    silent.push(socket);
  }
  t.equal(await ask(await peer(t, port)), 0, 'one more is cut off');
  const other = await peer(t, port, '127.0.0.2');
  t.equal(await ask(other), 401, 'another address is not held to it');
  t.equal(await ask(silent[0], bearer), 200);
  const next = await peer(t, port);
  t.equal(await ask(next), 401, 'a connection with a token does not count');
  t.equal(await ask(await peer(t, port)), 0);
  silent[1].destroy();
  for (let status = 0; status !== 401; ) status = await ask(await peer(t, port));
  t.pass('a connection that ends makes room');
});

t.test('connections of a trusted proxy stand for those of many addresses', async (t) => {
  const { server, port } = await start(t, {
    trustProxy: ['127.0.0.2/32'],
    limits: { socketsPerAddress: 1, connectionsPerAddress: 1 },
  });
  for (let count = 0; count < 3; count++) t.equal(await ask(await peer(t, port, '127.0.0.2')), 200);
  const stream = async (localAddress: string, client: string) => {
    const socket = await peer(t, port, localAddress);
    const answer = Promise.race([once(socket, 'data').catch(() => []), endOf(socket).then(() => [])]);
    socket.write(
      `GET /v1/machines/default/irqs/events HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: ${client}\r\n\r\n`,
    );
    const [data] = await answer;
    return Number(/^HTTP\/1\.1 (\d+)/.exec(String(data))?.[1]);
  };
  t.equal(await stream('127.0.0.2', '192.0.2.1'), 200);
  t.equal(await stream('127.0.0.2', '192.0.2.2'), 200, 'each client of the proxy has connections of its own');
  t.equal(await stream('127.0.0.2', '192.0.2.2'), 429);
  t.equal(await stream('127.0.0.3', '192.0.2.3'), 200);
  t.equal(await stream('127.0.0.4', '192.0.2.2'), 200, 'what another address says of its client is not believed');
  t.equal((await server.request('GET', '/healthz')).status, 200);
});
