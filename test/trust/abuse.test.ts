import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t from 'tap';
import { HPET_BASE } from '../../src/core/devices/guest-map.js';
import { MAIN_COUNTER } from '../../src/core/devices/hpet/registers.js';
import { processFigures } from '../support/process-figures.js';
import { CLI, Program } from '../support/program.js';
import { Random, seed } from '../support/random.js';
import { tier } from '../support/tier.js';
import { hex, VcpuClient } from '../support/vcpu-client.js';

/** Peers that do everything but what they should: they must cost the server nothing that stays, and nobody else anything. */

const UPGRADE =
  'host: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n' +
  'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';
/** What a subscriber that reads nothing may cost: what is kept for it, and buffers of the system. */
const BUFFERED_BYTES = 65_536;

async function serve(t: { teardown(end: () => Promise<void>): void }, ...settings: readonly string[]) {
  const server = new Program([CLI, 'serve', '--port', '0', '--log-level', 'error', ...settings]);
  t.teardown(async () => {
    server.child.kill('SIGKILL');
    await server.exited;
  });
  const url = /http:\S+/.exec((await server.line()) ?? '')?.[0] ?? '';
  return { server, url, pid: server.child.pid as number };
}

/** A raw connection that has sent something. */
async function raw(url: string, text: string | Buffer): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

const upgrade = (path: string, more = '') => `GET ${path} HTTP/1.1\r\n${UPGRADE}${more}\r\n`;

/** A masked frame of a client, of which only a part is sent. */
function frameCut(random: Random): Buffer {
  const frame = Buffer.alloc(8 + 100, 0x20);
  frame.set([0x81, 0x80 | 100, 0, 0, 0, 0]);
  return frame.subarray(0, 1 + random.below(frame.length - 1));
}

/** Ways to behave badly, each of which leaves a connection that is dropped then. */
const WAYS: readonly ((url: string, random: Random) => Promise<Socket>)[] = [
  (url) => raw(url, ''),
  (url) => raw(url, 'GET /v1/machines HTTP/1.1\r\nhost: local'),
  (url) => raw(url, '\u0016\u0003\u0001 this is no HTTP\r\n\r\n'),
  (url) => raw(url, 'POST /v1/machines HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\n{"name"'),
  (url) => raw(url, upgrade('/v1/machines/default/vcpus/900')),
  (url) => raw(url, upgrade('/v1/machines/default/irqs')),
  (url, random) => raw(url, Buffer.concat([Buffer.from(upgrade('/v1/machines/default/irqs')), frameCut(random)])),
  (url, random) => raw(url, Buffer.concat([Buffer.from(upgrade('/v1/machines/default/vcpus/1')), frameCut(random)])),
];

t.test(`${tier.abusiveConnections} connections are opened, abused and dropped`, { timeout: 1_200_000 }, async (t) => {
  const { url, pid } = await serve(t);
  const own = seed();
  t.comment(`TEST_SEED=${own}`);
  const random = new Random(own);
  const witness = await VcpuClient.connect(`${url.replace('http', 'ws')}/v1/machines/default/vcpus/0`);
  const undisturbed = async () => {
    const reply = await witness.request({ type: 'read', address: hex(HPET_BASE + MAIN_COUNTER), size: 8 });
    return reply.type === 'reply' && (await fetch(`${url}/healthz`)).status === 200;
  };
  t.ok(await undisturbed());
  const before = processFigures(pid);
  const AT_ONCE = 50;
  let disturbed = 0;
  for (let done = 0; done < tier.abusiveConnections; done += AT_ONCE) {
    const sockets = await Promise.all(
      Array.from({ length: AT_ONCE }, () => WAYS[random.below(WAYS.length)](url, random)),
    );
    if (!(await undisturbed())) disturbed++;
    // Half of them end in order, the others by a reset.
    for (const socket of sockets) {
      if (random.below(2)) socket.destroy();
      else socket.resetAndDestroy();
    }
  }
  let after = processFigures(pid);
  while (after.descriptors > before.descriptors) {
    if (!(await undisturbed())) disturbed++;
    after = processFigures(pid);
  }
  t.equal(disturbed, 0, 'others were served all the while');
  t.comment(`${before.residentMiB.toFixed(0)} MiB before, ${after.residentMiB.toFixed(0)} MiB after`);
  t.ok(after.residentMiB < before.residentMiB + 200, 'memory is bounded');
  t.equal(after.threads, before.threads);
  witness.socket.close();
});

t.test('100 subscribers that never read cost what the configuration allows them', { timeout: 1_200_000 }, async (t) => {
  const { url, pid } = await serve(
    t,
    '--set',
    `limits.bufferedBytes=${BUFFERED_BYTES}`,
    '--set',
    'limits.pendingInterrupts=256',
  );
  const driver = await VcpuClient.connect(`${url.replace('http', 'ws')}/v1/machines/default/vcpus/0`);
  const silent = await Promise.all(
    Array.from({ length: 100 }, async () => {
      const socket = await raw(
        url,
        upgrade('/v1/machines/default/irqs', 'sec-websocket-protocol: southbridge.v1.json\r\n'),
      );
      socket.pause();
      return socket;
    }),
  );
  const before = processFigures(pid);
  for (let round = 0; round < tier.silentRounds; round++) {
    const lines = Array.from({ length: 100 }, (_, index) =>
      driver.request({ type: 'line', gsi: 5, level: (index & 1) as 0 | 1 }),
    );
    const replies = await Promise.all(lines);
    if (!replies.every(({ type }) => type === 'reply')) t.fail('the driver was refused');
  }
  const after = processFigures(pid);
  const each = ((after.residentMiB - before.residentMiB) / silent.length) * 1024;
  t.comment(`${tier.silentRounds * 100} events to each; ${each.toFixed(0)} KiB of memory for each`);
  // What is kept for it, once more as objects, and the history that all share.
  t.ok(each < 1024, 'memory of each is bounded');
  t.equal((await fetch(`${url}/healthz`)).status, 200);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  t.match(metrics, /^southbridge_/m, 'and the metrics are there');
  for (const socket of silent) socket.destroy();
  driver.socket.close();
});
