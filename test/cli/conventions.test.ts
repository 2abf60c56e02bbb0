import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { PRESET_NAMES } from '../../src/core/locking/presets.js';
import { SCENARIOS } from '../../src/lab/explore/scenarios.js';
import { COMMANDS, withSubcommands } from '../support/cli-commands.js';
import { CLI, Program, southbridgeBeside } from '../support/program.js';
import { TestServer } from '../support/server.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const ALL = COMMANDS.flatMap((command) => withSubcommands(command));
/** Those that do something themselves. */
const LEAVES = ALL.filter(([, command]) => command.commands.length === 0);
const STACK = /\n +at .*[(:]\d+|node:internal/;
/** Refuses connections: nothing listens there. */
const DEAD = 'http://127.0.0.1:9';
const VECTORS = 'test/vectors';

t.test('a command line that no command takes: status 2, one line, nothing on standard output', async (t) => {
  for (const [words] of LEAVES) {
    const { status, stdout, stderr } = await southbridgeBeside([...words, '--no-such-option']);
    t.equal(status, 2, words.join(' '));
    t.equal(stdout, '', words.join(' '));
    t.match(stderr, /^error: .+\n$/, words.join(' '));
  }
});

t.test('every help text fits 80 columns, but for commands to copy, and ends in an example', async (t) => {
  for (const [words] of ALL) {
    const { status, stdout } = await southbridgeBeside([...words, '--help']);
    const name = words.join(' ');
    t.equal(status, 0, name);
    const lines = stdout.split('\n');
    t.same(
      lines.filter((line) => line.length > 80 && !/^ +npx /.test(line)),
      [],
      name,
    );
    t.match(stdout, new RegExp(`Example:\\n  npx southbridge ${words[0]}`), name);
  }
});

t.test('a name that is unknown is answered with the known ones, in lists as well', async (t) => {
  const scenarios = SCENARIOS.map(({ name }) => name);
  const cases: readonly [string[], readonly string[]][] = [
    [['explore', '--locking', 'foo'], PRESET_NAMES],
    [['explore', '--locking', 'bql,foo'], PRESET_NAMES],
    [['explore', '--scenario', 'foo'], scenarios],
    [['explore', '--scenario', `${scenarios[0]},foo`], scenarios],
    [['compare', '--locking', 'foo'], PRESET_NAMES],
    [['compare', '--locking', 'bql,foo'], PRESET_NAMES],
    [['replay', '--locking', 'foo', VECTORS], PRESET_NAMES],
    [['load', '--url', DEAD, '--locking', 'foo'], PRESET_NAMES],
  ];
  for (const [args, known] of cases) {
    const { status, stderr } = await southbridgeBeside(args);
    t.equal(status, 2, args.join(' '));
    for (const name of known) t.ok(stderr.includes(name), `${args.join(' ')}: ${name}`);
  }
});

t.test('a server that cannot be reached: status 2 and one line', async (t) => {
  for (const args of [
    ['replay', '--url', DEAD, VECTORS],
    ['load', '--url', DEAD],
    ['trace', 'record', '--url', DEAD],
    ['poke', 'read', '0xfed00000', '--url', DEAD],
    ['poke', 'line', '16', '1', '--url', DEAD],
  ]) {
    const { status, stdout, stderr } = await southbridgeBeside(args);
    t.match({ status, stdout }, { status: 2, stdout: '' }, args.join(' '));
    t.match(stderr, /^error: .+\n$/, args.join(' '));
  }
});

t.test('a reader that closes the output ends a command without an error', async (t) => {
  for (const args of [
    ['--help'],
    ...ALL.map(([words]) => [...words, '--help']),
    ['explore', '--scenario', 'counter-bql', '--locking', 'bql,lockless-timer'],
    ['explore', '--scenario', 'counter-bql', '--locking', 'bql', '--json'],
    ['replay', `${VECTORS}/hpet_fsb.jsonl`, '--json'],
    ['serve', '--print-config'],
  ]) {
    const program = new Program([CLI, ...args]);
    program.child.stdout.destroy();
    const status = await program.exited;
    t.ok(status === 0, `${args.join(' ')}: ${status}`);
    t.equal(program.stderr, '', args.join(' '));
  }
});

t.test('--json prints one document to standard output', async (t) => {
  for (const args of [
    ['explore', '--scenario', 'counter-bql', '--locking', 'bql', '--json'],
    ['replay', `${VECTORS}/hpet_fsb.jsonl`, '--json'],
    ['doctor', '--port', '0', '--json'],
    ['serve', '--print-config', '--json'],
    ['compare', '--locking', 'bql', '--bql-load', '0', '--rounds', '1', '--part-ms', '10', '--json'],
    ['compare', '--locking', 'bql', '--bql-load', '0', '--rounds', '1', '--part-ms', '10', '--json', '-'],
  ]) {
    const { stdout, stderr } = await southbridgeBeside(args);
    t.type(JSON.parse(stdout), Object, args.join(' '));
    t.notMatch(stderr, STACK, args.join(' '));
  }
});

t.test('compare is 80 columns wide, and says what its columns are', async (t) => {
  const all = ['compare', '--bql-load', '0', '--rounds', '1', '--part-ms', '10'];
  const { status, stdout } = await southbridgeBeside(all);
  t.equal(status, 0);
  t.same(
    stdout.split('\n').filter((line) => line.length > 80),
    [],
  );
  const headings = [
    'read p99',
    'mmio p99',
    'p99.9',
    'late p99',
    'irq p99',
    'waited',
    'waiting',
    'regain',
    'nested',
    'inv',
    'dead',
  ];
  for (const heading of headings) t.match(stdout, new RegExp(`^  ${heading} +\\S`, 'm'), heading);
});

t.test('a replay string that was shortened is refused, however much is left of it', async (t) => {
  const explored = ['explore', '--scenario', 'callback-comparator', '--locking', 'nested-mutex', '--preemptions', '2'];
  const { stdout } = await southbridgeBeside(explored);
  const string = /--replay (\S+)/.exec(stdout)?.[1] ?? '';
  t.equal((await southbridgeBeside(['explore', '--replay', string])).status, 1, 'the whole string shows the finding');
  const schedule = string.lastIndexOf(':') + 1;
  for (let length = schedule; length < string.length; length++) {
    const { status, stdout, stderr } = await southbridgeBeside(['explore', '--replay', string.slice(0, length)]);
    t.ok(
      status === 2 ? /^error: /m.test(stderr) : status === 1 && stdout !== '',
      `${string.slice(0, length)}: ${status}`,
    );
  }
});

t.test('Ctrl-C: status 130, and nothing is left on the server', async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  const folder = temporaryFolder(t);
  const file = join(folder, 'trace.json');

  const trace = new Program([CLI, 'trace', 'record', '--url', server.url, '--duration', '600', '-o', file]);
  while (!(await server.get('/v1/machines/default/trace')).enabled);
  trace.child.kill('SIGINT');
  t.equal(await trace.exited, 130);
  t.equal((await server.get('/v1/machines/default/trace')).enabled, false, 'tracing is off again');
  t.ok(Array.isArray(JSON.parse(readFileSync(file, 'utf8')).traceEvents), 'what was recorded is written');

  for (const args of [
    ['load', '--url', server.url, '--vcpus', '1', '--duration', '600s'],
    ['replay', '--url', server.url, `${VECTORS}/ioapic_storm.jsonl`],
  ]) {
    const program = new Program([CLI, ...args]);
    while ((await server.get('/v1/machines')).machines.length === 1);
    program.child.kill('SIGINT');
    t.equal(await program.exited, 130, args[0]);
    t.equal((await server.get('/v1/machines')).machines.length, 1, `${args[0]}: its machines are deleted`);
    t.notMatch(program.stderr, STACK, args[0]);
  }
  const explore = new Program([CLI, 'explore', '--locking', 'bql']);
  await explore.line();
  explore.child.kill('SIGINT');
  t.equal(await explore.exited, 130, 'explore');
});

t.test('- is standard output', async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  const { status, stdout, stderr } = await southbridgeBeside([
    'trace',
    'record',
    '--url',
    server.url,
    '--duration',
    '0.01',
    '-o',
    '-',
  ]);
  t.equal(status, 0);
  t.type(JSON.parse(stdout).traceEvents, Array);
  t.match(stderr, /^-: \d+ events/);
});
