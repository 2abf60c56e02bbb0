import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import t from 'tap';
import { connectToNats, isAtLeast, LEAST_VERSION } from '../../../src/server/cluster/nats-store.js';

/** A server that says which version it has, and answers pings. */
async function natsOf(version: string): Promise<{ url: string; close: () => void }> {
  const server = createServer((socket) => {
    const { port } = server.address() as AddressInfo;
    const info = {
      server_id: 'N',
      server_name: 'old',
      version,
      proto: 1,
      host: '127.0.0.1',
      port,
      max_payload: 1048576,
    };
    socket.write(`INFO ${JSON.stringify({ ...info, headers: true, jetstream: true })}\r\n`);
    socket.on('data', (data) => /PING\r\n/.test(data.toString()) && socket.write('PONG\r\n'));
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `nats://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}

const options = { replicas: 1, prefix: 'test', timeoutMs: 2000 };

t.test('a NATS server that is too old is refused', async (t) => {
  const { url, close } = await natsOf('2.9.10');
  t.teardown(close);
  await t.rejects(connectToNats({ ...options, servers: [url] }), {
    code: 'cluster-nats-version',
    details: { version: '2.9.10', least: LEAST_VERSION },
  });
});

t.test('a NATS server that is new enough is not', async (t) => {
  const { url, close } = await natsOf(LEAST_VERSION);
  t.teardown(close);
  const connection = await connectToNats({ ...options, servers: [url] });
  await connection.close();
});

t.test('a server that does not answer is named', async (t) => {
  const { url, close } = await natsOf(LEAST_VERSION);
  close();
  await t.rejects(connectToNats({ ...options, servers: [url] }), {
    code: 'cluster-unreachable',
    details: { servers: url },
  });
});

t.test('versions compare by number', async (t) => {
  for (const version of ['2.10.27', '2.10.28', '2.11.0', '2.15.1', '3.0.0', '2.11.0-beta.1']) {
    t.ok(isAtLeast(version, '2.10.27'), version);
  }
  for (const version of ['2.10.26', '2.9.28', '1.99.99', '2.10.27-RC.1', '', 'unknown', '2.11', '2.x.9']) {
    t.notOk(isAtLeast(version, '2.10.27'), version);
  }
});
