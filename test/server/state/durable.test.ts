import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import type { ConfigurationInput } from '../../../src/config/schema.js';
import { BQL } from '../../../src/core/sync/lock-names.js';
import { buildApp } from '../../../src/server/app.js';
import { Admission } from '../../../src/server/security/admission.js';
import { Service } from '../../../src/server/service/service.js';
import { Checkpoints } from '../../../src/server/state/checkpoints.js';
import { FILES, type FileLayer, StateFolder } from '../../../src/server/state/folder.js';
import { plan } from '../../../src/server/state/start-up.js';
import { CLI, Program, withLimits } from '../../support/program.js';
import { configuration } from '../../support/server.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const CONFIGURED = [{ name: 'configured', clock: 'manual' }] as const;
const COMPARATOR = '/v1/machines/m/mmio/0xfed00108';

/** Resolves when a condition holds. Injected requests alone would not let timers run. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise(setImmediate);
}

/** A disk that refuses one of its calls with an error, while there is one. */
class Disk implements FileLayer {
  refused: { call: keyof FileLayer; code: string } | undefined;

  writeThrough(file: string, contents: Buffer): Promise<void> {
    return this.#refuse('writeThrough') ?? FILES.writeThrough(file, contents);
  }

  flush(folder: string): Promise<void> {
    return this.#refuse('flush') ?? FILES.flush(folder);
  }

  #refuse(call: keyof FileLayer): Promise<never> | undefined {
    if (this.refused?.call !== call) return undefined;
    const { code } = this.refused;
    return Promise.reject(Object.assign(new Error(`${code}: refused by the test, ${call} '/a/path'`), { code }));
  }
}

type Body = { readonly [key: string]: unknown };

/** A server with the machines `configured` and, made over the API, `m`, on a disk that a test can fill. */
async function start(t: Test, stateDir: string, more: ConfigurationInput = {}) {
  const disk = new Disk();
  const lines: string[] = [];
  const logger = pino({ level: 'info' }, { write: (line: string) => lines.push(line) });
  const complete = configuration({ stateDir, stateIntervalMs: 3_600_000, machines: [...CONFIGURED], ...more });
  const keeper = await Checkpoints.open(complete, logger, disk);
  const service = new Service(complete, () => {}, keeper);
  const app = await buildApp({ service, admission: new Admission(''), logger: pino({ level: 'silent' }) });
  await service.start();
  const request = async (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, body?: Body) => {
    const { statusCode, payload } = await app.inject({ method, url, ...(body && { body }) });
    return { status: statusCode, body: payload.startsWith('{') ? JSON.parse(payload) : payload };
  };
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    disk.refused = undefined;
    await app.close();
    await keeper.close(10_000).catch(() => {});
    await service.close();
  };
  t.teardown(close);
  const names = async () =>
    (await request('GET', '/v1/machines')).body.machines.map(({ name }: { name: string }) => name).sort();
  /** The state of `m`, without the moment at which it was taken. */
  const stateOf = async () => ({ ...(await request('GET', '/v1/machines/m/snapshot')).body, takenAt: 0 });
  return { disk, lines, service, keeper, request, close, names, stateOf };
}

type Started = Awaited<ReturnType<typeof start>>;

/** What a server that starts after a crash makes: the machines, and the comparator of `m`. */
async function afterCrash(folder: string, copy: string) {
  cpSync(folder, copy, { recursive: true, filter: (file) => !file.endsWith('lock') });
  const state = await StateFolder.open(copy);
  const { machines } = configuration({ machines: [...CONFIGURED] });
  const planned = await plan(state, machines, pino({ level: 'silent' }), () => {});
  await state.close();
  const m = planned.find(({ config }) => config.name === 'm');
  const value = m?.checkpoint?.snapshot.state['hpet.timer[0].comparator.low'];
  return { names: planned.map(({ config }) => config.name).sort(), value };
}

async function write(server: Started, value: number) {
  const { status } = await server.request('PUT', `${COMPARATOR}?size=8`, { value: `0x${value.toString(16)}` });
  if (status !== 200 && status !== 204) throw new Error(`the access failed: ${status}`);
}

/** Ends a vCPU thread in the machine, which is suspect then. */
async function killThread({ service }: Started): Promise<void> {
  const { engine, machines } = service;
  const m = machines.get('m');
  const locks = () => m.slot.machine.locks;
  locks().acquire(BQL);
  m.access(0, { write: true, address: 0xfed0_0108, size: 8, low: 1, high: 0, posted: false }, () => {});
  while (m.locks().locks[BQL].waiters.length === 0) await new Promise(setImmediate);
  await engine.pool.worker(engine.gateway.vcpus[0].thread)?.terminate();
  while (!m.isSuspect) await new Promise(setImmediate);
  locks().release(BQL);
}

/** Errors of a disk, and how they are answered. */
const ERRORS = [
  ...['ENOSPC', 'EDQUOT', 'EFBIG'].map((code) => ({ code, status: 507, answer: 'state-no-space' })),
  ...['EIO', 'EROFS', 'EACCES', 'EMFILE'].map((code) => ({ code, status: 503, answer: 'state-unavailable' })),
];
const CALLS = ['writeThrough', 'flush'] as const;

for (const call of CALLS) {
  t.test(`a request that cannot be made durable is refused, and changes nothing: ${call}`, async (t) => {
    const folder = join(temporaryFolder(t), 'state');
    const server = await start(t, folder);
    const { disk, request, names, stateOf } = server;
    await request('POST', '/v1/machines', { name: 'm', clock: 'manual' });
    await write(server, 5);
    const snapshot = (await request('GET', '/v1/machines/m/snapshot')).body;
    // The last checkpoint is of this state.
    t.equal((await request('PUT', '/v1/machines/m/snapshot', snapshot)).status, 200);
    await write(server, 9);
    const before = await stateOf();
    let number = 0;
    for (const { code, status, answer } of ERRORS) {
      const refused = async (what: string, reply: { status: number; body: Body }) => {
        t.match(
          reply,
          { status, body: { error: { code: answer, reason: `${code}: refused by the test, ${call}` } } },
          what,
        );
        t.same(await names(), ['configured', 'm'], `${what}: the machines are those before`);
        t.same(await stateOf(), before, `${what}: the state is that before`);
        t.match((await request('GET', '/readyz')).body.state, { failure: /^E[A-Z]+: refused by the test/ }, what);
        disk.refused = undefined;
        const found = await afterCrash(folder, `${folder}-${number++}`);
        t.same(found, { names: ['configured', 'm'], value: 5 }, `${what}: so is what a crash leaves`);
      };
      disk.refused = { call, code };
      await refused(`${code}: POST`, await request('POST', '/v1/machines', { name: 'new', clock: 'manual' }));
      disk.refused = { call, code };
      await refused(`${code}: PUT snapshot`, await request('PUT', '/v1/machines/m/snapshot', snapshot));
      disk.refused = { call, code };
      await refused(`${code}: restore`, await request('POST', '/v1/machines/m/restore'));
      if (call === 'writeThrough') continue;
      disk.refused = { call, code };
      await refused(`${code}: DELETE`, await request('DELETE', '/v1/machines/m'));
      disk.refused = { call, code };
      const configured = await request('DELETE', '/v1/machines/configured');
      await refused(`${code}: DELETE of a configured machine`, configured);
    }
    // Each request is accepted when the disk works again.
    t.equal((await request('POST', '/v1/machines', { name: 'new', clock: 'manual' })).status, 201);
    t.equal((await request('POST', '/v1/machines/m/restore')).status, 200);
    t.equal(Number((await request('GET', `${COMPARATOR}?size=8`)).body.value), 5);
    for (const name of ['new', 'm', 'configured']) {
      t.equal((await request('DELETE', `/v1/machines/${name}`)).status, 204);
    }
    t.same(await afterCrash(folder, `${folder}-last`), { names: [], value: undefined });
    await server.close();
  });
}

t.test('a deletion needs no space, and outlasts a crash also for a name that was made again', async (t) => {
  const folder = join(temporaryFolder(t), 'state');
  const server = await start(t, folder);
  const { disk, request } = server;
  await request('POST', '/v1/machines', { name: 'm', clock: 'manual' });
  disk.refused = { call: 'writeThrough', code: 'ENOSPC' };
  t.equal((await request('DELETE', '/v1/machines/m')).status, 204);
  t.equal((await request('DELETE', '/v1/machines/configured')).status, 204);
  t.match(await request('POST', '/v1/machines', { name: 'configured' }), { status: 507 });
  t.same((await afterCrash(folder, `${folder}-1`)).names, [], 'a refused POST does not undo a deletion');
  disk.refused = undefined;
  t.equal((await request('POST', '/v1/machines', { name: 'configured' })).status, 201);
  t.same((await afterCrash(folder, `${folder}-2`)).names, ['configured']);
  t.equal((await request('DELETE', '/v1/machines/configured')).status, 204);
  t.same((await afterCrash(folder, `${folder}-3`)).names, [], 'and not when it is deleted again');
  await server.close();
});

t.test('a refused restore of a machine in which a thread died leaves it as it is', async (t) => {
  const folder = join(temporaryFolder(t), 'state');
  const server = await start(t, folder, { execution: 'threads' });
  const { disk, request } = server;
  await request('POST', '/v1/machines', { name: 'm', clock: 'manual', locking: 'bql' });
  const snapshot = (await request('GET', '/v1/machines/m/snapshot')).body;
  await killThread(server);
  for (const call of CALLS) {
    disk.refused = { call, code: 'ENOSPC' };
    t.match(await request('PUT', '/v1/machines/m/snapshot', snapshot), { status: 507 });
    t.match(await request('POST', '/v1/machines/m/restore'), { status: 507 });
    t.equal((await request('GET', '/v1/machines/m')).body.state, 'suspect');
    t.match(await request('GET', `${COMPARATOR}?size=8`), {
      status: 409,
      body: { error: { code: 'machine-suspect' } },
    });
  }
  disk.refused = undefined;
  t.equal((await request('POST', '/v1/machines/m/restore')).status, 200);
  t.equal((await request('GET', '/v1/machines/m')).body.state, 'running');
  await server.close();
});

t.test('a failure is shown until that machine is written again, and logged once', async (t) => {
  const folder = join(temporaryFolder(t), 'state');
  const server = await start(t, folder, { stateIntervalMs: 10 });
  const { disk, lines, request, service } = server;
  for (const name of ['a', 'b']) await request('POST', '/v1/machines', { name, clock: 'manual' });
  const failureOf = async (name: string) => (await request('GET', `/v1/machines/${name}`)).body.checkpointFailure;
  const metric = async (name: string) =>
    Number(
      new RegExp(`^southbridge_checkpoint_${name} (\\d+)$`, 'm').exec((await request('GET', '/metrics')).body)?.[1],
    );
  const failures = await metric('failures_total');
  disk.refused = { call: 'writeThrough', code: 'ENOSPC' };
  for (const name of ['a', 'b']) service.machines.get(name).changed = true;
  await until(async () => (await metric('failing_machines')) >= 2);
  // Rounds that fail again.
  await until(async () => (await metric('failures_total')) >= failures + 8);
  t.match(await failureOf('a'), /^ENOSPC: refused by the test, writeThrough$/);
  t.match((await request('GET', '/readyz')).body, { status: 'ready', state: { failing: 2, failure: /^ENOSPC/ } });
  const logged = (text: RegExp) => lines.filter((line) => text.test(line)).length;
  t.equal(logged(/no checkpoint of machine a can be written/), 1);
  t.equal(logged(/no checkpoint of machine b can be written/), 1);

  // Only what is written for another machine succeeds.
  const { writeThrough } = disk;
  disk.refused = undefined;
  disk.writeThrough = async (file, contents) => {
    if (file.includes('a.json')) throw Object.assign(new Error('EIO: i/o error, write'), { code: 'EIO' });
    return writeThrough.call(disk, file, contents);
  };
  await until(async () => (await failureOf('b')) === null);
  t.equal((await request('POST', '/v1/machines', { name: 'c' })).status, 201);
  t.match((await request('GET', '/readyz')).body.state, { failing: 1, failure: 'EIO: i/o error, write' });
  t.equal(await failureOf('a'), 'EIO: i/o error, write');
  disk.writeThrough = writeThrough;
  await until(async () => (await failureOf('a')) === null);
  t.same((await request('GET', '/readyz')).body.state, { failing: 0, failure: null });
  t.equal(logged(/checkpoints of machine a are written again/), 1);
  t.equal(logged(/no checkpoint of machine a can be written/), 1, 'and no line came between');
  await server.close();
});

t.test('a refused POST is shown until something can be written', async (t) => {
  const folder = join(temporaryFolder(t), 'state');
  const server = await start(t, folder, { stateIntervalMs: 10 });
  const { disk, request, lines } = server;
  disk.refused = { call: 'writeThrough', code: 'ENOSPC' };
  t.equal((await request('POST', '/v1/machines', { name: 'new' })).status, 507);
  t.match((await request('GET', '/readyz')).body.state, { failing: 0, failure: /^ENOSPC/ });
  disk.refused = undefined;
  await until(async () => (await request('GET', '/readyz')).body.state.failure === null);
  t.equal(lines.filter((line) => line.includes('can be written again')).length, 1);
  t.notOk(readdirSync(folder).some((file) => file.includes('new')));
  await server.close();
});

t.test('a flush that fails leaves the last checkpoint that was durable', async (t) => {
  const folder = join(temporaryFolder(t), 'state');
  const server = await start(t, folder);
  const { disk, request, keeper, service } = server;
  await request('POST', '/v1/machines', { name: 'm', clock: 'manual' });
  const file = join(folder, 'm.json');
  const before = readFileSync(file);
  await write(server, 3);
  disk.refused = { call: 'flush', code: 'EIO' };
  await t.rejects(keeper.made(service.machines.get('m')), { code: 'state-unavailable' });
  t.ok(readFileSync(file).equals(before));
  t.ok(existsSync(file));
  t.match(keeper.figures, { failing: 1, failure: /^EIO/ });
  await server.close();
});

t.test('the program, with a limit of the size of files', async (t) => {
  const folder = join(temporaryFolder(t), 'state');
  const program = new Program([CLI, 'serve', '--port', '0', '--state-dir', folder], withLimits('-f 8'));
  t.teardown(() => program.child.kill('SIGKILL'));
  const url = /http:\S+/.exec((await program.line()) ?? '')?.[0];
  const made = await fetch(`${url}/v1/machines`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"name":"m"}',
  });
  t.match(await made.json(), { error: { code: 'state-no-space', reason: /^EFBIG/ } });
  t.equal(made.status, 507);
  const { state } = (await (await fetch(`${url}/readyz`)).json()) as Body;
  t.match(state, { failing: 1, failure: /^EFBIG/ });
  t.equal((await fetch(`${url}/v1/machines/m`)).status, 404);
  t.equal((await fetch(`${url}/v1/machines/default/mmio/0xfed00000?size=8`)).status, 200, 'machines run on');
  program.child.kill('SIGTERM');
  t.equal(await program.exited, 1);
  t.match(program.stderr, /Machines with an older checkpoint only: default/);
  t.equal(program.stderr.match(/no checkpoint of machine default/g)?.length, 1, 'it was logged once');
});
