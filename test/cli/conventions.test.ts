import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { processorSeconds } from '../../bench/wire/process.js';
import { PRESET_NAMES } from '../../src/core/locking/presets.js';
import { SCENARIOS } from '../../src/lab/explore/scenarios.js';
import { COMMANDS, withSubcommands } from '../support/cli-commands.js';
import { CommandHost } from '../support/command-host.js';
import { CLI, Program, southbridgeBeside } from '../support/program.js';
import { TestServer } from '../support/server.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tier } from '../support/tier.js';

const ALL = COMMANDS.flatMap((command) => withSubcommands(command));
/** Those that do something themselves. */
const LEAVES = ALL.filter(([, command]) => command.commands.length === 0);
const STACK = /\n +at .*[(:]\d+|node:internal/;
/** Refuses connections: nothing listens there. */
const DEAD = 'http://127.0.0.1:9';
const VECTORS = 'test/vectors';

const host = new CommandHost();
t.teardown(() => host.close());

/** Runs a command to its end: in the long tier in a process of its own, else in one for all of them. */
function run(args: readonly string[]) {
  return tier.realProcesses ? southbridgeBeside(args) : host.run(args);
}

t.test('the executable answers as the function that it calls, for each command', async (t) => {
  for (const command of COMMANDS) {
    const [words] = LEAVES.find(([words]) => words[0] === command.name()) as [string[], unknown];
    const args = [...words, '--no-such-option'];
    t.strictSame(await southbridgeBeside(args), await host.run(args), args.join(' '));
  }
  t.strictSame(await southbridgeBeside(['--help']), await host.run(['--help']));
  t.strictSame(await southbridgeBeside(['acpi', '--json']), await host.run(['acpi', '--json']));
});

t.test('a command line that no command takes: status 2, one line, nothing on standard output', async (t) => {
  for (const [words] of LEAVES) {
    const { status, stdout, stderr } = await run([...words, '--no-such-option']);
    t.equal(status, 2, words.join(' '));
    t.equal(stdout, '', words.join(' '));
    t.match(stderr, /^error: .+\n$/, words.join(' '));
  }
});

t.test('every help text fits 80 columns, but for commands to copy, and ends in an example', async (t) => {
  for (const [words] of ALL) {
    const { status, stdout } = await run([...words, '--help']);
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
    const { status, stderr } = await run(args);
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
    const { status, stdout, stderr } = await run(args);
    t.match({ status, stdout }, { status: 2, stdout: '' }, args.join(' '));
    t.match(stderr, /^error: .+\n$/, args.join(' '));
  }
});

t.test('a reader that closes the output ends a command without an error', async (t) => {
  for (const args of [
    ['--help'],
    ...LEAVES.filter((_, number) => number % (tier.realProcesses ? 4 : 12) === 0).map(([words]) => [
      ...words,
      '--help',
    ]),
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

/** Of each command that has `--json`, arguments with which it ends soon. The others need a QEMU, or a cluster. */
const JSON_CASES: { readonly [command: string]: readonly string[] } = {
  acpi: [],
  compare: ['--locking', 'bql', '--bql-load', '0', '--rounds', '1', '--part-ms', '10'],
  doctor: ['--port', '0'],
  explore: ['--scenario', 'counter-bql', '--locking', 'bql'],
  load: ['--vcpus', '1', '--duration', '50ms'],
  'poke line': ['4', '1'],
  'poke read': ['0xfed00000'],
  'poke step': ['1'],
  'poke write': ['0xfed00010', '0'],
  replay: [`${VECTORS}/hpet_fsb.jsonl`],
  serve: ['--print-config'],
};

t.test('--json prints one document to standard output, of every command that has it', async (t) => {
  const server = await TestServer.start({ machines: [{ name: 'default', clock: 'manual' }] });
  t.teardown(server.stop);
  const having = LEAVES.filter(([, command]) => command.options.some(({ long }) => long === '--json'));
  t.same(
    having.map(([words]) => words.join(' ')).sort(),
    ['cluster drain', 'cluster nodes', 'conform', ...Object.keys(JSON_CASES)].sort(),
    'each command has a case',
  );
  for (const [words, command] of having) {
    const name = words.join(' ');
    if (!Object.hasOwn(JSON_CASES, name)) continue;
    const isRemote = command.options.some(({ long }) => long === '--url') && name !== 'replay';
    const args = [...words, ...JSON_CASES[name], ...(isRemote ? ['--url', server.url] : []), '--json'];
    const { stdout, stderr } = await run(args);
    t.type(JSON.parse(stdout), Object, args.join(' '));
    t.notMatch(stderr, STACK, args.join(' '));
  }
});

t.test('- is standard output: of each file that compare writes', async (t) => {
  const measure = ['compare', ...JSON_CASES.compare];
  const figures = join(temporaryFolder(t), 'figures.json');
  for (const [option, starts] of [
    ['--json', /^\{\n/],
    ['--html', /^<!doctype html>/i],
    ['--markdown', /^# /],
  ] as const) {
    // What was measured once is enough for the other files.
    const isMeasured = option === '--json' || tier.realProcesses;
    const { status, stdout } = await run([...(isMeasured ? measure : ['compare', '--from', figures]), option, '-']);
    t.equal(status, 0, option);
    t.match(stdout, starts, `${option}: nothing else is printed`);
    if (option === '--json') writeFileSync(figures, stdout);
  }
});

t.test('errors of a user have one form: a line for each, which begins with "error: ", and no stack', async (t) => {
  const folder = temporaryFolder(t);
  const tokens = join(folder, 'tokens');
  await run(['token', 'add', 'ci', '--role', 'drive', '--file', tokens]);
  const wrong = join(folder, 'wrong.yaml');
  writeFileSync(wrong, 'port: no\nhots: here\n');
  const missing = join(folder, 'missing');
  const cases: readonly (readonly [status: number, args: readonly string[]])[] = [
    [1, ['serve', '--config', wrong]],
    [1, ['serve', '--config', missing]],
    [1, ['serve', '--port', '0', '--host', '203.0.113.1']],
    [1, ['config', 'check', wrong]],
    [1, ['config', 'check', missing]],
    [1, ['token', 'add', 'ci', '--role', 'drive', '--file', tokens]],
    [1, ['token', 'add', '../x', '--role', 'drive', '--file', tokens]],
    [1, ['token', 'remove', 'cd', '--file', tokens]],
    [1, ['token', 'list', '--file', missing]],
    [2, ['demo', '--trace', missing]],
    [2, ['replay', missing]],
    [2, ['explore', '--replay', 'nothing']],
    [2, ['compare', '--from', missing]],
    [2, ['conform', '--qemu', missing]],
    [2, ['record', '--qemu', missing, '-o', folder]],
    [2, ['acpi', '-o', wrong]],
    [2, ['poke', 'read', 'here', '--url', DEAD]],
  ];
  for (const [expected, args] of cases) {
    const { status, stdout, stderr } = await run(args);
    t.match({ status, stdout }, { status: expected, stdout: '' }, args.join(' '));
    t.match(stderr, /^(?:error: .+\n)+$/, args.join(' '));
  }
});

t.test('reports are 80 columns wide, but for commands to copy', async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  const url = ['--url', server.url];
  for (const args of [
    ['doctor', '--port', '0'],
    ['demo', '--trace', `${VECTORS}/hpet_legacy.jsonl`, '--rounds', '1', '--part-ms', '10'],
    ['explore', '--scenario', 'callback-comparator', '--locking', 'nested-mutex,bql', '--preemptions', '1'],
    ['explore', '--scenario', 'counter-bql', '--seeded-bug', 'counter-read-takes-mutex'],
    ['replay', `${VECTORS}/hpet_fsb.jsonl`],
    ['load', ...url, '--vcpus', '1', '--duration', '50ms'],
    ['acpi'],
    ['serve', '--print-config'],
    ['poke', 'read', '0xfed00000', ...url],
  ]) {
    const { stdout } = await run(args);
    const wide = stdout.split('\n').filter((line) => line.length > 80 && !/^ *(?:npx|curl) /.test(line));
    t.same(wide, [], args.join(' '));
  }
});

t.test('compare is 80 columns wide, and says what its columns are', async (t) => {
  const all = ['compare', '--bql-load', '0', '--rounds', '1', '--part-ms', '10'];
  const { status, stdout } = await run(all);
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
    'response',
    'alone',
    'fairness',
    'convoy',
    'loop p99',
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
  const { stdout } = await run(explored);
  const string = /--replay (\S+)/.exec(stdout)?.[1] ?? '';
  t.equal((await run(['explore', '--replay', string])).status, 1, 'the whole string shows the finding');
  const schedule = string.lastIndexOf(':') + 1;
  for (let length = schedule; length < string.length; length += tier.shortenedStride) {
    const { status, stdout, stderr } = await run(['explore', '--replay', string.slice(0, length)]);
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
  const many = new Program([CLI, 'explore', '--locking', 'bql']);
  await many.line();
  many.child.kill('SIGINT');
  t.equal(await many.exited, 130, 'explore, between two results');
  const one = ['--scenario', 'ring-full', '--locking', 'lockless-timer', '--preemptions', 'unbounded'];
  for (const rest of [one, ['--seeded-bug', 'full-ring-without-doorbell', ...one]]) {
    const single = new Program([CLI, 'explore', ...rest]);
    const { pid } = single.child;
    // By then it explores.
    while (processorSeconds(Number(pid)) < 1.5) await new Promise((resolve) => setTimeout(resolve, 20));
    single.child.kill('SIGINT');
    t.equal(await single.exited, 130, `explore ${rest.join(' ')}`);
  }
});

t.test('- is standard output', async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  const { status, stdout, stderr } = await run([
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
