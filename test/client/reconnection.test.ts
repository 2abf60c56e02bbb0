import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect as connectTo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { WebSocket } from 'ws';
import { IrqStream, type RequestError, Southbridge, Vcpu, type VcpuEvent } from '../../src/client/index.js';
import { SyncVcpu } from '../../src/client/sync/index.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { MAIN_COUNTER, timerComparator } from '../support/guest.js';
import { CLI, Program } from '../support/program.js';
import { Random } from '../support/random.js';
import { TestServer } from '../support/server.js';
import { blockingClient, promiseClient } from '../support/session-clients.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { roleTokens } from '../support/token-file.js';

const OPTIONS = { WebSocket: WebSocket as never };

/** Makes calls until one succeeds: those in flight at the loss may fail. */
async function succeeds<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if ((error as RequestError).code !== 'connection-lost') throw error;
    }
  }
}

/** A server in a process of its own, which comes back at the same port. */
async function restartable(t: { teardown(end: () => Promise<void>): void }, ...settings: string[]) {
  let port = '0';
  let program: Program;
  const start = async () => {
    program = new Program([CLI, 'serve', '--port', port, '--log-level', 'error', ...settings]);
    const url = String((await program.line())?.match(/http:\S+/)?.[0]);
    port = new URL(url).port;
    return url;
  };
  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    program.child.kill(signal);
    await program.exited;
  };
  const url = await start();
  t.teardown(() => end('SIGKILL'));
  return { url, start, end };
}

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  t.test(`clients come back to a server that was started again after ${signal}`, async (t) => {
    const server = await restartable(t);
    const vcpu = await Vcpu.connect(server.url, 'default', 0, OPTIONS);
    const blocking = SyncVcpu.connect(server.url, 'default', 1);
    await vcpu.write(timerComparator(0), 4, 7);
    t.equal(blocking.read(timerComparator(0), 4), 7);
    await server.end(signal);
    await server.start();
    t.equal(await succeeds(() => vcpu.read(timerComparator(0), 4)), 0xffffffff, 'a new machine');
    t.equal(await succeeds(async () => blocking.read(timerComparator(0), 4)), 0xffffffff);
    vcpu.close();
    blocking.close();
  });
}

t.test('after a restart with stateDir the former holder wins over a client that is faster', async (t) => {
  const stateDir = join(temporaryFolder(t), 'state');
  const first = await TestServer.start({ stateDir });
  const port = Number(new URL(first.url).port);
  const token = (await first.connect('default', 0)).hello.resumeToken;
  await first.stop();
  const second = await TestServer.start({ stateDir, port });
  const stranger = await second.connect('default', 0);
  await stranger.request({ type: 'sync' });
  const former = await second.connect('default', 0, { resumeToken: token });
  t.match(await stranger.closed, { code: 4001 });
  await former.close();
  await second.stop();

  const third = await TestServer.start({ stateDir, port, resumeGraceMs: 0 });
  await third.connect('default', 0);
  await t.rejects(third.connect('default', 0, { resumeToken: token }), { message: /wrong-resume-token/ });
  await third.stop();
});

/** Passes bytes on between clients and a server; `drops` says for each connection, by number, whether nothing comes back. */
async function forwarder(t: { teardown(end: () => void): void }, url: string, drops: (connection: number) => boolean) {
  const sockets = new Set<Socket>();
  let count = 0;
  const server = createServer((near) => {
    const isDropping = drops(count++);
    const far = connectTo(Number(new URL(url).port), '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
    near.pipe(far);
    far.on('data', (data) => {
      // The server has the vCPU taken, and its hello is lost; the server does not notice.
      if (isDropping) near.destroy();
      else near.write(data);
    });
    near.on('close', () => !isDropping && far.destroy());
    far.on('close', () => near.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  t.teardown(() => {
    cut();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}`, cut };
}

/** The same in a thread of its own, for clients that block this one. */
async function forwarderBeside(t: { teardown(end: () => void): void }, url: string) {
  const code = `
    const { connect, createServer } = require('node:net');
    const { parentPort, workerData } = require('node:worker_threads');
    const sockets = new Set();
    const server = createServer((near) => {
      const far = connect(workerData, '127.0.0.1');
      for (const [socket, other] of [[near, far], [far, near]]) {
        sockets.add(socket);
        socket.on('error', () => {}).on('close', () => other.destroy()).pipe(other);
      }
    });
    parentPort.on('message', () => sockets.forEach((socket) => socket.destroy()));
    server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`;
  const worker = new Worker(code, { eval: true, workerData: Number(new URL(url).port), execArgv: [] });
  t.teardown(() => {
    worker.terminate();
  });
  const [port] = await once(worker, 'message');
  return { url: `http://127.0.0.1:${port}`, cut: () => worker.postMessage('cut') };
}

t.test('a client whose hello was lost comes back, however often', async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  const LOST = [1, 2, 3, 5];
  const proxy = await forwarder(t, server.url, (connection) => LOST.includes(connection));
  const vcpu = await Vcpu.connect(proxy.url, 'default', 0, OPTIONS);
  await vcpu.sync();
  for (let cuts = 0; cuts < 3; cuts++) {
    const { hello } = vcpu;
    proxy.cut();
    while (vcpu.hello === hello) await succeeds(() => vcpu.sync());
    await vcpu.write(timerComparator(0), 4, cuts);
  }
  t.equal(await vcpu.read(timerComparator(0), 4), 2);
  vcpu.close();
});

for (const [name, connect] of Object.entries({ promise: promiseClient, blocking: blockingClient })) {
  t.test(`the ${name} client comes back by a proxy that ends what it accepts while the server is away`, async (t) => {
    const server = await TestServer.start({ machines: [{ name: 'm' }] });
    const proxy = await FaultProxy.start(Number(new URL(server.url).port), new Random(1));
    const client = await connect(proxy.url);
    await client.perform({ kind: 'write', address: timerComparator(0), value: 7 });
    proxy.isBlocked = true;
    proxy.inject('cut');
    const outcome = client.perform({ kind: 'read', address: timerComparator(0) });
    let isDone = false;
    outcome.finally(() => {
      isDone = true;
    });
    while (proxy.refused < 5 && !isDone) await setImmediate();
    proxy.isBlocked = false;
    t.same(await outcome, { value: 7 });
    await client.close();
    await proxy.stop();
    await server.stop();
  });
}

t.test('a request by HTTP rejects if its connection ends as soon as it is accepted', async (t) => {
  const listener = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  // A program of its own: nothing else keeps it alive.
  const program = `import { Southbridge } from '${new URL('../../src/client/index.js', import.meta.url)}';
    const refused = new Southbridge('http://127.0.0.1:${port}').machines();
    console.log(await refused.catch(({ message }) => message));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program]);
  t.equal(stdout, 'fetch failed\n');
  listener.close();
});

t.test('a bounded client gives up, and says why', async (t) => {
  const server = await TestServer.start();
  const vcpu = await Vcpu.connect(server.url, 'default', 0, { ...OPTIONS, reconnect: { attempts: 2, delayMs: 1 } });
  await server.stop();
  await t.rejects(
    async () => {
      for (;;) await succeeds(() => vcpu.sync());
    },
    { name: 'RequestError' },
  );
});

t.test(
  'a client that is away has its calls wait, and learns the level of INTR; after the end each call fails with the reason',
  async (t) => {
    const server = await restartable(t);
    const proxy = await forwarderBeside(t, server.url);
    const events: VcpuEvent[] = [];
    const api = new Southbridge(server.url, OPTIONS);
    await api.createMachine({ name: 'm', clock: 'manual' });
    // The 8259 pair: ICW1 to ICW4, and every input unmasked.
    const other = await api.vcpu('m', 1);
    for (const [port, value] of [
      [0x20, 0x11],
      [0x21, 0x20],
      [0x21, 4],
      [0x21, 1],
      [0x21, 0],
    ]) {
      await other.portWrite(port, value);
    }
    const blocking = SyncVcpu.connect(proxy.url, 'm', 0, {
      onEvent: (event) => events.push(event),
      unassigned: 'ones',
    });
    t.match(blocking.hello, { machine: 'm', vcpu: 0, intr: 0 });
    blocking.setApic(2, 'flat');
    blocking.subscribe(['line']);
    await other.setLine(4, 1);
    blocking.sync();
    t.match(events, [
      { type: 'irq', event: { kind: 'line', gsi: 4 } },
      { type: 'intr', level: 1 },
    ]);
    t.equal(blocking.sequence, (events[1] as { sequence: number }).sequence);

    const { hello } = blocking;
    proxy.cut();
    while (blocking.hello === hello) await succeeds(async () => blocking.sync());
    t.strictSame(events.slice(2), [], 'it has missed nothing, and gets nothing twice');
    await other.setLine(5, 1);
    blocking.sync();
    t.match(events.slice(2), [{ type: 'irq', event: { gsi: 5 } }], 'it is still subscribed');

    t.equal(blocking.read(0x1000, 4), 0xffffffff);
    t.equal(blocking.read(0xfed00400, 8), 0xffff_ffff_ffff_ffffn);
    blocking.write(0x1000, 1, 1);
    blocking.post(0x1000, 1, 1);
    blocking.write(timerComparator(0) | 0, 4, 0x8000_0000 | 0);
    const accesses = [timerComparator(0) | 0, 0x1000, MAIN_COUNTER | 0].map((address) => ({ address, size: 4 }));
    t.same(blocking.batch(accesses), [0x8000_0000, 0xffffffff, 0]);
    const promised = await api.vcpu('m', 2, { unassigned: 'ones' });
    promised.post(0x1000, 4, 7);
    t.same(await promised.batch(accesses), [0x8000_0000, 0xffffffff, 0]);
    t.equal(await promised.read(0x1000, 2), 0xffff);

    await api.deleteMachine('m');
    for (const call of [
      () => blocking.sync(),
      () => blocking.poll(),
      () => blocking.waitForEvent(10),
      () => blocking.post(0, 1, 1),
    ]) {
      t.throws(
        () => {
          for (;;) {
            try {
              call();
            } catch (error) {
              // The call that was in flight as the connection ended.
              if ((error as { code?: string }).code !== 'connection-lost') throw error;
            }
          }
        },
        { code: 'machine-closing' },
      );
    }
    blocking.close();
  },
);

t.test('the first connection tells that INTR is high', async (t) => {
  const server = await restartable(t);
  const driver = await Vcpu.connect(server.url, 'default', 1, OPTIONS);
  for (const [port, value] of [
    [0x20, 0x11],
    [0x21, 0x20],
    [0x21, 4],
    [0x21, 1],
    [0x21, 0],
  ]) {
    await driver.portWrite(port, value);
  }
  await driver.setLine(4, 1);
  for (const connect of ['promise', 'blocking']) {
    const events: VcpuEvent[] = [];
    const onEvent = (event: VcpuEvent) => events.push(event);
    if (connect === 'promise') (await Vcpu.connect(server.url, 'default', 0, { ...OPTIONS, onEvent })).close();
    else SyncVcpu.connect(server.url, 'default', 0, { onEvent }).close();
    t.match(events, [{ type: 'intr', level: 1 }], connect);
    while (await isHeld(server.url));
  }
  driver.close();
});

async function isHeld(url: string): Promise<boolean> {
  const { vcpus } = (await (await fetch(`${url}/v1/machines/default`)).json()) as { vcpus: { connected: boolean }[] };
  return vcpus[0].connected;
}

t.test('requests that wait for a connection are bounded', async (t) => {
  const server = await TestServer.start();
  const vcpu = await Vcpu.connect(server.url, 'default', 0, { ...OPTIONS, waitingRequests: 2 });
  await vcpu.sync();
  await server.stop();
  const waiting = [vcpu.sync(), vcpu.sync(), vcpu.sync()].map((call) => call.catch((error) => error.code));
  t.equal(await Promise.race(waiting), 'too-many-requests');
  vcpu.close();
  t.match(await Promise.all(waiting), ['connection-closed', 'connection-closed', 'too-many-requests']);
});

t.test('every refused connection has its true cause, in both clients', async (t) => {
  const { file, tokens } = roleTokens(t);
  const server = await restartable(t, '--token-file', file);
  const { url } = server;
  const holder = await Vcpu.connect(url, 'default', 0, { ...OPTIONS, token: tokens.drive });
  for (const [machine, number, options, code] of [
    ['none', 0, { token: tokens.drive }, 'unknown-machine'],
    ['default', 99, { token: tokens.drive }, 'unknown-vcpu'],
    ['default', 0, { token: tokens.drive }, 'vcpu-taken'],
    ['default', 0, { token: tokens.drive, resumeToken: 'x' }, 'wrong-resume-token'],
    ['default', 1, { token: tokens.observe }, 'role-too-low'],
    ['default', 1, { token: 'sbt_unknown' }, 'token-unknown'],
    ['default', 1, {}, 'token-missing'],
  ] as const) {
    await t.rejects(Vcpu.connect(url, machine, number, { ...OPTIONS, ...options }), {
      code,
      message: /^No connection to /,
    });
    t.throws(() => SyncVcpu.connect(url, machine, number, options), { code });
  }
  await t.rejects(IrqStream.connect(url, 'none', { ...OPTIONS, token: tokens.observe }), { code: 'unknown-machine' });
  await t.rejects(Vcpu.connect('http://127.0.0.1:1', 'default', 0, OPTIONS), { code: 'connection-refused' });
  holder.close();
});
