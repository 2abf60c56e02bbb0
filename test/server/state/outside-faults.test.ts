import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { ENABLE, GENERAL_CONFIGURATION, route, timerComparator, timerConfiguration } from '../../support/guest.js';
import { CLI, Program } from '../../support/program.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { tier } from '../../support/tier.js';
import { VcpuClient } from '../../support/vcpu-client.js';

/**
 * Faults from outside the real program: after each, no machine is lost, and `/healthz` was right throughout. Clocks are in
 * `host-clocks.test.ts`, SIGKILL in `kill9.test.ts`.
 */

const MACHINES = ['a', 'b', 'c'];
const MEBIBYTE = 1 << 20;
const SILENT_SOCKETS = 4300;
/** Seconds. */
const STOP = 30;
/** The cases take minutes. */
const notNow: string | false = !tier.faultsFromOutside && 'the long tier does this to the real program';

t.setTimeout(600_000);

/** Runs a command; returns why it failed, or false. */
function failureOf(command: string, ...options: string[]): string | false {
  const { status, error, stderr } = spawnSync(command, options, { encoding: 'utf8' });
  return status === 0 ? false : `${command} ${options.join(' ')}: ${error?.message ?? stderr.trim()}`;
}

function must(command: string, ...options: string[]): void {
  const failure = failureOf(command, ...options);
  if (failure) throw new Error(failure);
}

/** A folder on a disk of its own. */
function smallDisk(t: Test): string {
  const folder = temporaryFolder(t);
  must('mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder);
  t.teardown(() => must('umount', '-l', folder));
  return folder;
}

function noMount(): string | false {
  return process.getuid?.() !== 0 && 'a mount takes root';
}

class Server {
  /** Answers of `/healthz`, by status. */
  readonly healths = new Map<number, number>();
  #isWatched = true;
  readonly #watch: Promise<void>;

  private constructor(
    readonly program: Program,
    readonly url: string,
  ) {
    this.#watch = this.#watchHealth();
  }

  static async start(t: Test, folder: string): Promise<Server> {
    const options = ['--port', '0', '--log-level', 'warn', '--set', 'machines=[]', '--set', 'watchdog.exit=true'];
    const program = new Program([CLI, 'serve', ...options, '--state-dir', folder, '--state-interval-ms', '100']);
    t.teardown(() => program.child.kill('SIGKILL'));
    const url = /http:\S+/.exec((await program.line()) ?? '')?.[0];
    if (!url) throw new Error(`the server did not start: ${program.stderr}`);
    return new Server(program, url);
  }

  /** Asks for `/healthz` all the time, on a new connection each time. */
  async #watchHealth(): Promise<void> {
    while (this.#isWatched) {
      const status = await this.status('GET', '/healthz').catch(() => 0);
      this.healths.set(status, (this.healths.get(status) ?? 0) + 1);
      await delay(20);
    }
  }

  async send(method: string, path: string, body?: object) {
    const headers: Record<string, string> = { connection: 'close' };
    if (body) headers['content-type'] = 'application/json';
    return fetch(this.url + path, { method, headers, body: body && JSON.stringify(body) });
  }

  async status(method: string, path: string, body?: object): Promise<number> {
    const response = await this.send(method, path, body);
    await response.text();
    return response.status;
  }

  async makeMachines(t: Test): Promise<void> {
    for (const name of MACHINES) t.equal(await this.status('POST', '/v1/machines', { name }), 201, name);
  }

  vcpu(machine: string): Promise<VcpuClient> {
    return VcpuClient.connect(`${this.url.replace(/^http/, 'ws')}/v1/machines/${machine}/vcpus/0`);
  }

  /** Stops asking for `/healthz`; reports what it answered. */
  async healthy(t: Test): Promise<void> {
    this.#isWatched = false;
    await this.#watch;
    t.same([...this.healths.keys()], [200], `/healthz was 200 in ${this.healths.get(200)} of as many answers`);
  }

  /** The process ends by SIGKILL, and another one starts with the folder. */
  async machinesAfterKill(t: Test, folder: string): Promise<void> {
    this.#isWatched = false;
    this.program.child.kill('SIGKILL');
    await this.program.exited;
    const next = await Server.start(t, folder);
    for (const name of MACHINES) t.equal(await next.status('GET', `/v1/machines/${name}`), 200, `${name} is there`);
    await next.healthy(t);
    next.program.child.kill('SIGTERM');
    t.equal(await next.program.exited, 0);
  }
}

t.test('the disk is full', { skip: notNow || noMount() }, async (t) => {
  const folder = smallDisk(t);
  const server = await Server.start(t, folder);
  await server.makeMachines(t);
  const filler = join(folder, 'filler');
  try {
    for (;;) writeFileSync(filler, Buffer.alloc(4096), { flag: 'a' });
  } catch {
    t.pass('there is no space left');
  }
  t.equal(await server.status('POST', '/v1/machines', { name: 'd' }), 507);
  t.equal(await server.status('GET', '/v1/machines/d'), 404, 'a refused machine is not there');
  for (const name of MACHINES) t.equal(await server.status('POST', `/v1/machines/${name}/reset`), 200, `${name} runs`);
  rmSync(filler);
  t.equal(await server.status('POST', '/v1/machines', { name: 'd' }), 201, 'once there is space');
  await server.healthy(t);
  await server.machinesAfterKill(t, folder);
});

t.test('the disk becomes read-only under a running server', { skip: notNow || noMount() }, async (t) => {
  const folder = smallDisk(t);
  const server = await Server.start(t, folder);
  await server.makeMachines(t);
  // A second mount of the same disk over the first one: a disk with files open for writing cannot become read-only itself.
  must('mount', '--bind', folder, folder);
  must('mount', '-o', 'remount,bind,ro', folder);
  t.equal(await server.status('POST', '/v1/machines', { name: 'd' }), 503);
  t.equal(await server.status('GET', '/v1/machines/d'), 404, 'a refused machine is not there');
  t.equal(await server.status('DELETE', '/v1/machines/a'), 503);
  for (const name of MACHINES) t.equal(await server.status('POST', `/v1/machines/${name}/reset`), 200, `${name} runs`);
  must('umount', folder);
  t.equal(await server.status('POST', '/v1/machines', { name: 'd' }), 201, 'once it can be written again');
  await server.healthy(t);
  await server.machinesAfterKill(t, folder);
});

t.test('the disk is read-only at the start', { skip: notNow || noMount() }, async (t) => {
  const folder = smallDisk(t);
  const server = await Server.start(t, folder);
  await server.makeMachines(t);
  await server.healthy(t);
  server.program.child.kill('SIGKILL');
  await server.program.exited;
  must('mount', '-t', 'tmpfs', '-o', 'remount,ro,size=1m', 'tmpfs', folder);
  const refused = new Program([CLI, 'serve', '--port', '0', '--state-dir', folder]);
  t.teardown(() => refused.child.kill('SIGKILL'));
  t.equal(await refused.exited, 1);
  t.match(refused.stderr, /read-only/i, 'the start is refused, with the reason');
  must('mount', '-t', 'tmpfs', '-o', 'remount,rw,size=1m', 'tmpfs', folder);
  const next = await Server.start(t, folder);
  await next.machinesAfterKill(t, folder);
});

t.test(`SIGSTOP for ${STOP} s, with watchdog.exit`, { skip: notNow }, async (t) => {
  const folder = temporaryFolder(t);
  const server = await Server.start(t, folder);
  await server.makeMachines(t);
  server.program.child.kill('SIGSTOP');
  await delay(1000 * STOP);
  server.program.child.kill('SIGCONT');
  t.equal(await server.status('GET', '/readyz'), 200);
  await delay(2000);
  t.equal(server.program.child.exitCode, null, 'the server goes on');
  await server.healthy(t);
  await server.machinesAfterKill(t, folder);
});

const noPrlimit = failureOf('prlimit', '--version');

t.test('limits of files, of their size, and of memory', { skip: notNow || noPrlimit }, async (t) => {
  const folder = temporaryFolder(t);
  const server = await Server.start(t, folder);
  await server.makeMachines(t);
  const limit = (option: string) => must('prlimit', '--pid', String(server.program.child.pid), option);
  limit('--fsize=512:');
  t.equal(await server.status('POST', '/v1/machines', { name: 'd' }), 507, 'no file may have the size of a checkpoint');
  limit('--fsize=unlimited:');
  t.equal(await server.status('POST', '/v1/machines', { name: 'd' }), 201);
  await server.healthy(t);
  // No further file: neither connections nor checkpoints. `/healthz` cannot be asked over a new connection meanwhile.
  limit('--nofile=8:');
  await delay(1000);
  limit('--nofile=4096:');
  for (const name of MACHINES) t.equal(await server.status('POST', `/v1/machines/${name}/reset`), 200, `${name} runs`);
  t.equal(server.program.child.exitCode, null);
  // Memory may end the process, but no machine is lost.
  limit(`--data=${64 * MEBIBYTE}:`);
  for (let n = 0; n < 200 && server.program.child.exitCode === null; n++) {
    await server.status('POST', '/v1/machines', { name: `m${n}` }).catch(() => 0);
  }
  t.comment(`with 64 MiB of data, the exit status is ${server.program.child.exitCode}`);
  await server.machinesAfterKill(t, folder);
});

t.test('hostile guests', { skip: notNow }, async (t) => {
  const folder = temporaryFolder(t);
  const server = await Server.start(t, folder);
  await server.makeMachines(t);
  const hostile = await server.vcpu('a');
  for (let timer = 0; timer < 3; timer++) {
    await hostile.write(timerConfiguration(timer), 8, ENABLE | 0x48 | route(timer + 4));
    await hostile.write(timerComparator(timer), 8, 100);
  }
  await hostile.write(GENERAL_CONFIGURATION, 8, 1);
  const victim = await server.vcpu('b');
  const end = performance.now() + 1000 * Math.min(10, STOP);
  let [answers, slowest] = [0, 0];
  for (; performance.now() < end; answers++) {
    const begin = performance.now();
    await victim.read(GENERAL_CONFIGURATION, 8);
    slowest = Math.max(slowest, performance.now() - begin);
  }
  t.ok(answers > 0);
  t.comment(`${answers} answers to the other machine, the slowest after ${Math.round(slowest)} ms`);
  t.equal(await server.status('DELETE', '/v1/machines/c'), 204);
  t.equal(await server.status('POST', '/v1/machines', { name: 'c' }), 201);
  await server.healthy(t);
  await hostile.close();
  await victim.close();
  await server.machinesAfterKill(t, folder);
});

t.test(`${SILENT_SOCKETS} silent sockets of one address`, { skip: notNow }, async (t) => {
  const folder = temporaryFolder(t);
  const server = await Server.start(t, folder);
  await server.makeMachines(t);
  const sockets: Socket[] = [];
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  const { hostname, port } = new URL(server.url);
  for (let n = 0; n < SILENT_SOCKETS; n++) {
    const socket = connect({ host: hostname, port: Number(port), localAddress: '127.0.0.2' });
    socket.on('error', () => {});
    sockets.push(socket);
    await once(socket, 'connect').catch(() => {});
    socket.write('GET / HTTP/1.1\r\n');
  }
  for (const name of MACHINES) t.equal(await server.status('POST', `/v1/machines/${name}/reset`), 200, `${name} runs`);
  await server.healthy(t);
  await server.machinesAfterKill(t, folder);
});
