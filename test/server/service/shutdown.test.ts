import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import t from 'tap';
import { EVENT_LINE } from '../../../src/core/machine/events.js';
import { emptyEvent } from '../../../src/core/memory/event-words.js';
import { SharedMemory } from '../../../src/core/memory/shared-memory.js';
import { EventRing } from '../../../src/runtime/events/event-ring.js';
import { buildApp } from '../../../src/server/app.js';
import { startServer } from '../../../src/server/boot.js';
import { Admission } from '../../../src/server/security/admission.js';
import { Service } from '../../../src/server/service/service.js';
import { IOAPIC, LEVEL_TRIGGERED, MASKED, writeEntry } from '../../support/guest.js';
import { configuration } from '../../support/server.js';
import { hex, type Message, VcpuClient } from '../../support/vcpu-client.js';

const CLI = fileURLToPath(new URL('../../../src/cli.js', import.meta.url));
/** SIGTERM to exit, with any clients connected. */
const LIMIT_MS = 5000;

/** Requests of one connection that are not answered yet. */
const PIPELINED = 32;

/** Memory of a thread that gets to its last store late. */
class SlowMemory extends SharedMemory {
  complete = () => {};

  override store(address: number, value: number): void {
    this.complete = () => super.store(address, value);
  }
}

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

t.test('SIGTERM ends the server with status 0, with any clients connected', async (t) => {
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
  t.same(await alive.closed, { code: 1001, reason: 'shutting-down' }, 'every client gets the close code');
  t.same(await ended, { code: 0, signal: null }, `status 0 within ${LIMIT_MS} ms`);
  clearTimeout(late);
  for (const socket of [dead, deadStream, unfinished]) socket.destroy();
});

t.test('requests that were read before SIGTERM are answered before the close frame', async (t) => {
  const { child, url } = await serve();
  t.teardown(() => child.kill('SIGKILL'));
  const connect = (vcpu: number) =>
    VcpuClient.connect(`${url.replace('http', 'ws')}/v1/machines/default/vcpus/${vcpu}`);
  const vcpus = await Promise.all([connect(0), connect(1)]);
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  // The IOAPIC is the BQL's, which the main loop has for 0.4 s of each 0.8 s.
  await fetch(`${url}/v1/machines/default/bql/load`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ duty: 0.5, hold: '400000000' }),
  });
  const inFlight = async () => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return Number(/^southbridge_requests_under_way (\d+)$/m.exec(text)?.[1]);
  };
  let answers: Promise<Message>[] = [];
  let left = 0;
  do {
    await Promise.all(answers);
    left = 2 * PIPELINED;
    answers = vcpus.flatMap((vcpu) =>
      Array.from({ length: PIPELINED }, async (_, i) => {
        const answer = await (i % 2
          ? vcpu.write(IOAPIC, 4, i)
          : vcpu.request({ type: 'read', address: hex(IOAPIC), size: 4 }));
        left--;
        return answer;
      }),
    );
    // All of them at once, or, if it gave the BQL back just then, again.
    while (left > 0 && (await inFlight()) < 2 * PIPELINED);
  } while (left < 2 * PIPELINED);
  child.kill('SIGTERM');
  for (const vcpu of vcpus) {
    t.same(await vcpu.closed, { code: 1001, reason: 'shutting-down' });
    const replies = vcpu.received.slice(-PIPELINED);
    t.same(new Set(replies.map(({ type }) => type)), new Set(['reply']), 'each is answered');
    const [{ id }] = replies;
    t.same(
      replies.map((reply) => reply.id),
      replies.map((_, i) => id + i),
      'in order',
    );
  }
  t.equal(left, 0);
  t.same(await ended, { code: 0, signal: null });
});

t.test('a batch that waits for an event before its own is in flight', async (t) => {
  const service = new Service(configuration({ execution: 'auto', machines: [{ name: 'm' }] }), () => {});
  const app = await buildApp({ service, logger: pino({ level: 'silent' }), admission: new Admission('') });
  await service.start();
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const vcpu = await VcpuClient.connect(`ws://127.0.0.1:${port}/v1/machines/m/vcpus/0`);
  await writeEntry(vcpu, 17, MASKED | LEVEL_TRIGGERED | 0x50, 0);
  await vcpu.request({ type: 'line', gsi: 17, level: 1 });

  const { gateway, map, shared } = service.engine;
  const slow = new SlowMemory(shared.buffer);
  new EventRing(slow, map.eventRing, map.events, 1, false).emit(service.machines.get('m').options.slot, {
    ...emptyEvent(),
    kind: EVENT_LINE,
  });
  const reply = vcpu.request({
    type: 'batch',
    accesses: [{ type: 'write', address: hex(IOAPIC + 0x10), size: 4, value: hex(LEVEL_TRIGGERED | 0x50) }],
  });
  while (gateway.inlineResults.length === 0) await new Promise(setImmediate);
  let drained = false;
  const draining = service.drain(60_000).then(() => {
    drained = true;
  });
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
  t.equal(drained, false);
  slow.complete();
  gateway.host.gatewayBell.ring();
  t.match(await reply, { type: 'reply' });
  await draining;
  await app.close();
  await service.close();
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

t.test('a port that is in use is reported with the next step', async (t) => {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const { port } = holder.address() as AddressInfo;
  await t.rejects(startServer({ ...configuration(), port }), {
    code: 'port-in-use',
    message: new RegExp(`Port ${port} on 127\\.0\\.0\\.1 is in use; choose another with --port`),
  });
  await new Promise((resolve) => holder.close(resolve));
});
