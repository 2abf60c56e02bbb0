import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommanderError } from 'commander';
import t from 'tap';
import { load as loadCommand } from '../../../src/cli/load.js';
import { MeddlingProxy } from '../../support/meddling-proxy.js';
import { CLI, Program, southbridgeBeside } from '../../support/program.js';
import { TestServer } from '../../support/server.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { loadOn, workload } from './loads.js';

const folder = temporaryFolder(t);

/** The address of a server that has ended. */
async function nobody(): Promise<string> {
  const server = await TestServer.start();
  await server.stop();
  return server.url;
}

/** How the command refuses, in this process. */
async function refusal(parameters: readonly string[]): Promise<CommanderError> {
  let refused: unknown;
  loadCommand.exitOverride().configureOutput({ writeErr: () => {} });
  await loadCommand.parseAsync(parameters, { from: 'user' }).catch((error) => {
    refused = error;
  });
  if (refused instanceof CommanderError) return refused;
  throw refused ?? new Error(`not refused: ${parameters.join(' ')}`);
}

const load = (...parameters: string[]) => southbridgeBeside(['load', ...parameters]);

t.test('a text summary, a given rate, and an existing machine', async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  const [summary, existing] = await Promise.all([
    load('--url', server.url, '--vcpus', '20', '--rate', '400', '--duration', '500ms', '--locking', 'bql'),
    load(
      '--url',
      server.url,
      '--vcpus',
      '3',
      '--workload',
      'level-ack',
      '--duration',
      '300ms',
      '--machine',
      'default',
      '--json',
    ),
  ]);
  t.equal(summary.status, 0);
  t.equal(summary.stderr, '', 'progress is for terminals only');
  t.match(summary.stdout, /^mixed: 20 vCPUs of 2 machines, bql, [\d.]+ s, seed 1$/m);
  t.match(summary.stdout, /^ {2}operations {2}[\d,]+ \([\d,]+\/s of 400\/s requested\), [\d,]+ accesses$/m);
  t.match(summary.stdout, /^ {2}start delay p50 /m);
  t.match(summary.stdout, /^ok: no interrupt lost or doubled$/m);
  const report = JSON.parse(existing.stdout);
  t.match(report, { workload: 'level-ack', machines: 1, vcpus: 3, locking: 'lockless-timer', rate: null, ok: true });
  t.same(Object.keys(report.latency), ['p50', 'p90', 'p99', 'p999', 'max']);
  const { machines } = await server.get('/v1/machines');
  t.equal(machines.length, 1, 'the created machines are deleted, the existing one stays');
});

t.test('an impossible load ends with a sentence and exit status 2', async (t) => {
  const server = await TestServer.start({
    machines: [{ name: 'default' }, { name: 'few-timers' }, { name: 'by-hand', clock: 'manual' }],
  });
  t.teardown(server.stop);
  const holder = await server.connect('default', 1);
  t.teardown(() => holder.close());
  const trace = join(folder, 'golden.jsonl');
  writeFileSync(trace, '{"format":"something-else"}\n');
  const url = ['--url', server.url];
  const cases: readonly (readonly [RegExp, ...string[]])[] = [
    [/required option '--url/],
    [/begins with http/, '--url', 'localhost:8080'],
    [/unknown-machine/, ...url, '--machine', 'nobody'],
    [/another client is connected as vCPU 1/, ...url, '--machine', 'default', '--vcpus', '2'],
    [/its HPET has 3 timers, not 8/, ...url, '--machine', 'few-timers', '--workload', 'periodic'],
    [/its clock is manual, not realtime/, ...url, '--machine', 'by-hand'],
    [/periodic sets its own rate/, ...url, '--workload', 'periodic', '--rate', '5'],
    [/Allowed choices are counter-read, /, ...url, '--workload', 'nothing'],
    [/such as 10s, 500ms or 2m/, ...url, '--duration', 'soon'],
    [/format is "something-else"/, ...url, '--workload', 'guest', '--trace', trace],
    [/golden\.token/, ...url, '--token-file', join(folder, 'golden.token')],
  ];
  for (const [pattern, ...parameters] of cases) {
    const { message, exitCode } = await refusal(parameters);
    t.match(message, pattern, parameters.join(' '));
    t.not(exitCode, 0);
  }
  const { status, stdout, stderr } = await load('--url', await nobody());
  t.same({ status, stdout }, { status: 2, stdout: '' });
  t.match(stderr, /^error: no server answers at http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\)/, 'and no stack');
});

t.test('the command sends its token with every request and every socket', async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  const proxy = await MeddlingProxy.start(server.url, (_message, frame) => [frame]);
  t.teardown(() => proxy.stop());
  const options = { token: 'a-token', vcpus: 1, workload: workload('counter-read'), durationMs: 1 };
  t.ok((await loadOn(proxy.url, options)).ok);
  for (const headers of proxy.headers) {
    if (headers.upgrade) t.match(headers['sec-websocket-protocol'], /,\s*southbridge\.\w+\.\S+$/);
    else t.equal(headers.authorization, 'Bearer a-token');
  }
  t.equal(proxy.headers.filter(({ upgrade }) => upgrade).length, 2, 'IRQ stream and vCPU');
});

t.test('a signal ends the run, which prints its report and deletes its machines', async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  const program = new Program([
    CLI,
    'load',
    '--url',
    server.url,
    '--workload',
    'timer-tick',
    '--duration',
    '10m',
    '--json',
  ]);
  const isRunning = async () => {
    const { machines } = await server.get('/v1/machines');
    return machines.some(
      ({ name, sequence }: { name: string; sequence: string }) => name !== 'default' && sequence !== '0',
    );
  };
  while (!(await isRunning()));
  program.child.kill('SIGINT');
  const report = JSON.parse((await program.line()) ?? '');
  t.match(report, { ok: true, workload: 'timer-tick' });
  t.equal(await program.exited, 130);
  const { machines } = await server.get('/v1/machines');
  t.equal(machines.length, 1);
});
