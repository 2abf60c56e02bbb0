import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { TIERS } from './support/tier.js';

/**
 * The long tier: runs the built suite, or the test files whose path contains one of the arguments, with TEST_TIER=long,
 * and writes what came of each file to `docs/evidence/<date>.json` as soon as it has ended: the suite takes hours, and
 * what is broken off can be gone on with. A file's entry names the commit at which it ran, and the last run counts.
 */

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Seconds that one test file may take. */
const FILE_LIMIT = 3600;
/** How many run at once: more would take each other's processors. */
const AT_ONCE = Math.min(2, availableParallelism());

/** What came of a test file. */
interface Entry {
  readonly file: string;
  readonly ok: boolean;
  readonly assertions: number;
  readonly skipped: number;
  readonly seconds: number;
  /** When it began. */
  readonly date: string;
  readonly commit: string;
  /** Whether the working tree was not that of the commit. */
  readonly changed: boolean;
  /** The figures that it told of, as it printed them. */
  readonly figures: readonly string[];
}

async function run(file: string): Promise<Entry> {
  const begin = Date.now();
  const child = spawn(process.execPath, [file], {
    cwd: ROOT,
    env: { ...process.env, TEST_TIER: 'long', TAP_TIMEOUT: String(FILE_LIMIT) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve, reject) => child.once('close', resolve).once('error', reject));
  const output = await text(child.stdout);
  const ok = (await ended) === 0;
  if (!ok) process.stderr.write(output);
  return { file, ok, ...count(output), ...circumstances(begin), seconds: seconds(Date.now() - begin) };
}

/** Lines of TAP that close a subtest, and so tell of no assertion of their own, give its time. */
function count(tap: string) {
  const points = tap.match(/^ *(not )?ok \d+.*$/gm) ?? [];
  return {
    assertions: points.filter((line) => !/# (time=|SKIP)/.test(line)).length,
    skipped: points.filter((line) => line.includes('# SKIP')).length,
    figures:
      tap.match(/(?<=^ *# )(?!Subtest|time=|TEST_SEED|\{ total).*\d.*$|(?<=^ *ok \d+ - )\d(?!.*# time=).*$/gm) ?? [],
  };
}

function circumstances(begin: number) {
  return {
    date: new Date(begin).toISOString(),
    commit: git('rev-parse', 'HEAD'),
    changed: git('status', '--porcelain', '--', ':!docs/evidence') !== '',
  };
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds) / 1000;
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
}

function builtTests(): string[] {
  return readdirSync(join(ROOT, 'dist/test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.js'))
    .map((file) => join('dist/test', file))
    .sort();
}

const EVIDENCE = join(ROOT, 'docs/evidence');
const report = join(EVIDENCE, `${new Date().toISOString().slice(0, 10)}.json`);
const built = builtTests();
/** By file; tests that are no more fall out. */
const entries = new Map<string, Entry>();

function write(): void {
  const files = built.map((file) => entries.get(file)).filter((entry) => entry !== undefined);
  const totals = {
    files: files.length,
    failed: files.filter(({ ok }) => !ok).length,
    notRun: built.length - files.length,
    assertions: files.reduce((sum, { assertions }) => sum + assertions, 0),
    seconds: seconds(files.reduce((sum, entry) => sum + 1000 * entry.seconds, 0)),
  };
  const computer = { node: process.version, platform: `${process.platform} ${process.arch}`, cpu: cpus()[0].model };
  const whole = { ...computer, cores: availableParallelism(), tier: { name: 'long', ...TIERS.long }, totals, files };
  mkdirSync(EVIDENCE, { recursive: true });
  writeFileSync(report, `${JSON.stringify(whole, null, 2)}\n`);
}

const parts = process.argv.slice(2);
const chosen = built.filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)));
if (chosen.length === 0) throw new Error(`no built test file contains ${parts.join(' or ')}`);
if (parts.length > 0 && existsSync(report)) {
  for (const entry of JSON.parse(readFileSync(report, 'utf8')).files as Entry[]) entries.set(entry.file, entry);
}
const queue = [...chosen];
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const entry = await run(file);
      entries.set(file, entry);
      write();
      process.stdout.write(`${entry.ok ? 'ok' : 'not ok'} ${file} ${entry.seconds} s\n`);
    }
  }),
);
const failed = chosen.filter((file) => !entries.get(file)?.ok);
process.stdout.write(`${report}: ${chosen.length} files run, ${failed.length} failed\n`);
process.exitCode = failed.length > 0 ? 1 : 0;
