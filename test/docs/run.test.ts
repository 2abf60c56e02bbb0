import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { commandLines, PAGES } from '../support/command-lines.js';
import { CLI } from '../support/program.js';
import { TestServer } from '../support/server.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tier } from '../support/tier.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** What is done to a line of the documents so that it is done here, and soon. The first that fits holds. */
interface Rule {
  readonly line: RegExp;
  /** Why it is not run at all. */
  readonly not?: string;
  /** Exchanged in the line, and put behind it, where it goes before what stands there already. */
  readonly exchange?: readonly (readonly [string, string])[];
  readonly more?: string;
  /** Files that the line takes for granted. */
  readonly files?: { readonly [name: string]: string };
  /** A program without which it cannot be run. */
  readonly needs?: string;
  /** Takes a second or more, and is tried by tests of its own: only in the longer tiers. */
  readonly long?: true;
  /** Takes long, and is tried by tests of its own: only in the longest tier. */
  readonly longest?: true;
  /** Runs until it gets a signal to end. */
  readonly serves?: true;
  readonly status?: number;
}

/** Where the documents have their server. */
const USUAL = '//127.0.0.1:8080';
/** And its Unix socket; here, of the server that the lines reach, and of one that they start. */
const SOCKET = '/run/southbridge/socket';
const [RUNNING, STARTED] = ['running.socket', 'started.socket'];
const SOON = '--rounds 1 --part-ms 10';

const RULES: readonly Rule[] = [
  { line: /^npm ci\b/, not: 'it installed what runs this test' },
  { line: /^npm start\b/, not: 'it builds, and serves on the usual port' },
  { line: /^(npm test|npx tap)\b/, not: 'it runs this suite' },
  { line: /^(sudo|docker|kill|export|read|cd|cp|git)\b/, not: 'it would change this computer or shell' },
  {
    line: /^node dist\/test\/docker\/check-dashboard/,
    not: 'it wants a Prometheus; docker/try-on-local-engine.sh runs it',
  },
  { line: /^npx wscat/, long: true },
  { line: /^npm sbom/, long: true },
  { line: /^southbridge explore( --locking (axes.*|\S+))?$/, longest: true },
  {
    line: /^southbridge explore --generated/,
    longest: true,
    more: '--every 600 --prepared fsb --locking lockless-irq',
  },
  { line: /^southbridge explore --(replay|seeded-bug)/, longest: true, status: 1 },
  { line: /^southbridge explore --design \S+\/sequence-numbers/, long: true, status: 1 },
  { line: /^southbridge explore --design \S+$/, longest: true },
  { line: /^southbridge explore/, long: true },
  { line: /^southbridge compare/, longest: true, more: SOON },
  {
    line: /^southbridge (conform|record)\b/,
    not: 'it needs a QEMU with the qtest accelerator; test/lab/conform has one',
  },
  { line: /^southbridge replay traces$/, not: 'it replays what record wrote' },
  {
    line: /^(#!\/bin\/sh|exec (npx )?southbridge qtest)/,
    not: 'it is a script for libqtest; test/lab/conform runs the command',
  },
  { line: /^southbridge demo/, not: 'test/lab/demo runs it as it stands there' },
  {
    line: /^southbridge replay --url/,
    long: true,
    exchange: [['test/vectors', 'test/vectors/hpet_periodic_level.jsonl']],
  },
  {
    line: /^southbridge replay test\/vectors/,
    long: true,
    exchange: [['test/vectors', 'test/vectors/hpet_periodic_level.jsonl']],
  },
  { line: /^southbridge load/, long: true, more: '--duration 200ms' },
  { line: /^southbridge trace record/, long: true, more: `--duration 0.05 --url http:${USUAL}` },
  { line: /^southbridge doctor/, long: true, files: { 'southbridge.yaml': 'logLevel: warn\n' }, more: '--port 0' },
  { line: /^southbridge config check/, files: { FILE: 'port: 9000\n', 'southbridge.yaml': 'port: 9000\n' } },
  { line: /^southbridge token add NAME/, exchange: [['FILE', 'TOKENS']] },
  { line: /^southbridge serve .*--print-config/, files: { 'southbridge.yaml': 'logLevel: warn\n' } },
  {
    line: /^southbridge serve .*tls\.certFile/,
    long: true,
    needs: 'openssl',
    exchange: [['192.0.2.1', '127.0.0.1']],
    more: '--port 0',
    serves: true,
  },
  {
    line: /^southbridge serve\b/,
    long: true,
    exchange: [
      ['/var/lib/southbridge', 'state'],
      [SOCKET, STARTED],
    ],
    files: { 'southbridge.yaml': 'logLevel: warn\n' },
    more: '--port 0 --host 127.0.0.1',
    serves: true,
  },
  { line: /^southbridge poke .*unix:/, exchange: [[SOCKET, RUNNING]] },
  { line: /^curl\b/, needs: 'curl', exchange: [[SOCKET, RUNNING]] },
  { line: /^node examples\//, long: true },
  { line: /^python3\b/, needs: 'python3', long: true },
];

// In the longer tiers this is a hundred programs, one after the other.
t.setTimeout(600_000);

const folder = temporaryFolder(t);
const server = await TestServer.start({ listen: `tcp,unix:${join(folder, RUNNING)}` });
t.teardown(server.stop);
furnish();

/** What a clone has, where lines expect it, and the program under its name. */
function furnish(): void {
  for (const name of ['clients', 'examples', 'node_modules', 'test', 'package.json', 'package-lock.json'])
    symlinkSync(join(root, name), join(folder, name));
  mkdirSync(join(folder, 'bin'));
  const program = join(folder, 'bin', 'southbridge');
  writeFileSync(program, `#!/bin/sh\nunset NODE_OPTIONS\nexec '${process.execPath}' '${CLI}' "$@"\n`);
  chmodSync(program, 0o755);
  symlinkSync(process.execPath, join(folder, 'bin', 'node'));
}

const has = (program: string) =>
  spawnSync(program, ['--version']).status === 0 || spawnSync(program, ['version']).status === 0;

function makeCertificate(): void {
  const request = 'req -x509 -newkey rsa:2048 -nodes -days 90 -subj /CN=localhost -keyout server.key -out server.crt';
  spawnSync('openssl', request.split(' '), { cwd: folder, stdio: 'ignore' });
  chmodSync(join(folder, 'server.key'), 0o600);
}

/** Runs a line in a shell: its status, and what it wrote. */
async function run(line: string, serves: boolean): Promise<{ status: number | null; output: string }> {
  const env = { PATH: `${join(folder, 'bin')}:${process.env.PATH}`, HOME: folder };
  // A shell that execs gets the signal as the program does.
  const child = spawn('sh', ['-c', serves ? `exec ${line}` : line], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let ends = !serves;
  const listen = (chunk: Buffer) => {
    output += chunk;
    if (ends || !/Southbridge listens on/.test(output)) return;
    ends = true;
    child.kill('SIGTERM');
  };
  child.stdout.on('data', listen);
  child.stderr.on('data', listen);
  const [status] = await once(child, 'close');
  return { status, output };
}

/** As it is printed with a finding. */
async function replayString(): Promise<string> {
  const { output } = await run('southbridge explore --scenario callback-comparator --locking nested-mutex', false);
  return /--replay (\S+)/.exec(output)?.[1] ?? 'none was printed';
}

const scripts = Object.keys(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts);

/** The same line is run once, whatever pages have it. */
const done = new Set<string>();

/** Lines of the page that no page before had. */
function newLines(page: string): string[] {
  const lines = commandLines(page).filter((line) => !done.has(called(line)));
  for (const line of lines) done.add(called(line));
  return [...new Set(lines)];
}

/** A line as it is where the package is installed. */
function called(line: string): string {
  return line.replace(/^npx southbridge/, 'southbridge').replace(/^node dist\/src\/cli\.js/, 'southbridge');
}

// test/docs/readme pastes the blocks of the README whole.
for (const page of PAGES.filter((page) => page !== 'README.md')) {
  const lines = newLines(page);
  if (lines.length === 0) continue;
  t.test(`the command lines of ${page}`, async (t) => {
    for (const text of lines) {
      const own = called(text);
      const [, script] = /(?:^|' )npm run ([\w:]+)/.exec(own) ?? [];
      if (script !== undefined) {
        t.ok(scripts.includes(script), `${text}: there is such a script`);
        continue;
      }
      const rule = RULES.find(({ line }) => line.test(own)) ?? { line: /./ };
      const isTooLong = (rule.long && !tier.allPresets) || (rule.longest && !tier.exploresEverySeededBug);
      if (rule.not !== undefined) {
        t.comment(`${text}: ${rule.not}`);
        continue;
      }
      const missing = rule.needs !== undefined && !has(rule.needs) && `there is no ${rule.needs} here`;
      const skip = isTooLong ? 'only in a longer tier' : missing;
      if (skip) {
        t.pass(text, { skip });
        continue;
      }
      if (rule.needs === 'openssl') makeCertificate();
      for (const [name, content] of Object.entries(rule.files ?? {})) writeFileSync(join(folder, name), content);
      let line = rule.more === undefined ? own : `${own} ${rule.more}`;
      if (line.includes('--replay STRING')) line = line.replace('STRING', await replayString());
      for (const [from, to] of [...(rule.exchange ?? []), [USUAL, server.url.replace('http:', '')]])
        line = line.replaceAll(from, to);
      const { status, output } = await run(line, rule.serves ?? false);
      t.equal(status, rule.status ?? 0, `${text}\n${output.slice(-500)}`);
      t.notMatch(output, /"error":\{/, `${text}: no refusal`);
    }
  });
}
