import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { CLI, Program } from '../../support/program.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const STALL = new URL('../../support/stall.js', import.meta.url).href;

/** Each test waits for a stall of 5 s, so they run beside each other. */
const BESIDE = { buffered: true };
t.jobs = 5;

/** A server of which SIGUSR2 stalls the main loop, and SIGUSR1 the gateway. */
async function serve(t: Test, environment: { [name: string]: string } = {}) {
  const program = new Program(['--import', STALL, CLI, 'serve', '--port', '0'], [], environment);
  t.teardown(() => program.child.kill('SIGKILL'));
  let url: string | undefined;
  for (let line = await program.line(); !url; line = await program.line()) {
    if (line === undefined) throw new Error(`it ended: ${program.stderr.slice(0, 500)}`);
    url = /http:\/\/[\w.:]+/.exec(line)?.[0];
  }
  const get = async (path: string) => {
    const response = await fetch(`${url}${path}`);
    return { status: response.status, text: await response.text() };
  };
  const send = async (method: string, path: string, body?: unknown) => {
    const headers: Record<string, string> = body ? { 'content-type': 'application/json' } : {};
    return fetch(`${url}${path}`, { method, headers, body: body ? JSON.stringify(body) : undefined });
  };
  const stall = async () => {
    program.child.kill('SIGUSR2');
    await program.logged(/the BQL is taken/);
  };
  return { program, get, send, stall };
}

t.test('a stall is logged with its waits, and shown by /healthz and the metrics', BESIDE, async (t) => {
  const { program, get, stall } = await serve(t, { STALL_REMAINS: '1' });
  t.equal((await get('/healthz')).status, 200);
  await stall();
  await program.logged(
    /main-loop has made no progress for 5 s: main-loop in machine default waits for bql of [\w-]+′* at main-loop/,
  );
  const { status, text } = await get('/healthz');
  t.equal(status, 503);
  t.match(JSON.parse(text).error, { code: 'stalled', stall: /main-loop in machine default waits for bql/ });
  const metrics = (await get('/metrics')).text;
  t.match(metrics, /^southbridge_stalls_total 1$/m);
  t.match(metrics, /^southbridge_stalled_threads 1$/m);
  t.equal(program.child.exitCode, null, 'without watchdog.exit the server goes on');
});

t.test('only the machine in which a thread stalls is frozen, also with watchdog.exit', BESIDE, async (t) => {
  const { program, get, send, stall } = await serve(t, { SOUTHBRIDGE_WATCHDOG_EXIT: 'true' });
  t.equal((await send('POST', '/v1/machines', { name: 'other' })).status, 201);
  await stall();
  await program.logged(/that machine is suspect now/);
  while ((await get('/healthz')).status !== 200) await new Promise(setImmediate);
  // The thread that takes the place has yet to start.
  while ((await get('/readyz')).status !== 200) await new Promise(setImmediate);
  t.pass('the main loop has rounds again');
  const frozen = JSON.parse((await get('/v1/machines/default')).text);
  t.match(frozen, { state: 'suspect', stall: /^main-loop has made no progress for 5 s: .* waits for bql/ });
  const other = JSON.parse((await get('/v1/machines/other')).text);
  t.match(other, { state: 'running', stall: null });
  t.equal((await send('POST', '/v1/machines/other/reset')).status, 200, 'and control work of the other machine');
  t.equal((await send('DELETE', '/v1/machines/default')).status, 204);
  t.equal((await send('POST', '/v1/machines', { name: 'default' })).status, 201);
  program.child.kill('SIGTERM');
  t.equal(await program.exited, 0);
});

t.test('with watchdog.exit the server ends with status 70', BESIDE, async (t) => {
  const { program, stall } = await serve(t, { SOUTHBRIDGE_WATCHDOG_EXIT: 'true', STALL_REMAINS: '1' });
  await stall();
  t.equal(await program.exited, 70);
  t.match(program.stderr, /The server cannot go on: main-loop has made no progress for 5 s: .*Exit status 70/);
});

t.test('with watchdog.exit a server whose gateway has no turn either is ended by SIGKILL', BESIDE, async (t) => {
  const { program, stall } = await serve(t, { SOUTHBRIDGE_WATCHDOG_EXIT: 'true' });
  await stall();
  program.child.kill('SIGUSR1');
  t.equal(await program.exited, null);
  t.equal(program.child.signalCode, 'SIGKILL');
});

t.test('a gateway that has no turn for long is no stall', BESIDE, async (t) => {
  const { program } = await serve(t, { SOUTHBRIDGE_WATCHDOG_EXIT: 'true', STALL_GATEWAY_MS: '12000' });
  program.child.kill('SIGUSR1');
  await program.logged(/the gateway has turns again/);
  program.child.kill('SIGTERM');
  t.equal(await program.exited, 0);
});

t.test('the server notifies systemd in each half of its period, and stops once a thread stalls', BESIDE, async (t) => {
  const folder = temporaryFolder(t);
  const log = join(folder, 'log');
  writeFileSync(log, '');
  writeFileSync(join(folder, 'systemd-notify'), `#!/bin/sh\necho "$@" >> ${log}\n`);
  chmodSync(join(folder, 'systemd-notify'), 0o755);
  const { program, stall } = await serve(t, {
    PATH: `${folder}:${process.env.PATH}`,
    WATCHDOG_USEC: '200000',
    STALL_REMAINS: '1',
    NOTIFY_SOCKET: join(folder, 'socket'),
  });
  const count = () => readFileSync(log, 'utf8').split('\n').length - 1;
  while (count() < 3) await new Promise(setImmediate);
  t.match(readFileSync(log, 'utf8'), /^(WATCHDOG=1\n)+$/);
  await stall();
  await program.logged(/main-loop has made no progress/);
  const before = count();
  // One may have been on its way when the stall was found.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  t.ok(count() <= before + 1);
});
