import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { startServer } from '../../src/server.js';
import { configuration } from '../support/server.js';
import { VcpuClient } from '../support/vcpu-client.js';

const CLI = fileURLToPath(new URL('../../src/cli.js', import.meta.url));
/** SIGTERM to exit, whoever is connected. */
const LIMIT_MS = 5000;

/** `southbridge serve` in a process of its own; resolves when it listens. */
function serve(): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [CLI, 'serve', '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (chunk) => {
      text += chunk;
      const url = /http:\/\/[\w.:]+/.exec(text)?.[0];
      if (url) resolve({ child, url });
    });
    child.once('exit', (code) => reject(new Error(`serve ended with ${code}`)));
  });
}

/** Opens a WebSocket by hand, and then never reads or answers again. */
function halfDeadSocket(url: string, path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => {
      socket.write(
        `GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n` +
          'sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
      );
    });
    socket.once('data', () => {
      socket.pause();
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

t.test('SIGTERM ends the server with status 0, whoever is connected', async (t) => {
  const { child, url } = await serve();
  t.teardown(() => child.kill('SIGKILL'));
  const dead = await halfDeadSocket(url, '/v1/machines/default/vcpus/0');
  const deadStream = await halfDeadSocket(url, '/v1/machines/default/irqs');
  const unfinished = connect(Number(new URL(url).port), '127.0.0.1');
  unfinished.on('error', () => {});
  unfinished.write('POST /v1/machines HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{');
  const alive = await VcpuClient.connect(`${url.replace('http', 'ws')}/v1/machines/default/vcpus/1`);

  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  t.same(await alive.closed, { code: 1001, reason: 'shutting-down' }, 'whoever listens is told');
  t.same(await ended, { code: 0, signal: null }, `status 0 within ${LIMIT_MS} ms`);
  clearTimeout(late);
  for (const socket of [dead, deadStream, unfinished]) socket.destroy();
});

t.test('a second signal ends the server at once', async (t) => {
  const { child, url } = await serve();
  t.teardown(() => child.kill('SIGKILL'));
  const dead = await halfDeadSocket(url, '/v1/machines/default/vcpus/0');
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  // Another signal than the first, which two of one kind might be taken for.
  child.kill('SIGTERM');
  child.kill('SIGINT');
  t.same(await ended, { code: 130, signal: null });
  dead.destroy();
});

t.test('a port that is in use is told with the next step', async (t) => {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const { port } = holder.address() as AddressInfo;
  await t.rejects(startServer({ ...configuration(), port }), {
    code: 'port-in-use',
    message: new RegExp(`Port ${port} on 127\\.0\\.0\\.1 is in use; choose another with --port`),
  });
  await new Promise((resolve) => holder.close(resolve));
});
