import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { type Result, ROOT, runBatches, testFiles } from './support/suite.js';
import { TIERS } from './support/tier.js';

/**
 * The long tier: runs the built suite, or the test files whose path contains one of the arguments, with TEST_TIER=long,
 * and writes what came of each file to `docs/evidence/<date>.json` as soon as it has ended: the suite takes hours, and
 * what is broken off can be gone on with. A file's entry names the commit at which it ran, and the last run counts.
 */

/** Seconds that one test file may take. */
const FILE_LIMIT = 3600;

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

function entryOf({ files: [file], ok, output, began, seconds }: Result): Entry {
  return { file, ok, ...count(output), ...circumstances(began), seconds };
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

const EVIDENCE = join(ROOT, 'docs/evidence');
const report = join(EVIDENCE, `${new Date().toISOString().slice(0, 10)}.json`);
const built = testFiles([]);
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
const chosen = testFiles(parts);
if (parts.length > 0 && existsSync(report)) {
  for (const entry of JSON.parse(readFileSync(report, 'utf8')).files as Entry[]) entries.set(entry.file, entry);
}
const batches = chosen.map((file) => [file]);
await runBatches(batches, { limit: FILE_LIMIT, tier: 'long' }, (result) => {
  const {
    files: [file],
    ok,
    output,
    seconds,
  } = result;
  entries.set(file, entryOf(result));
  write();
  if (!ok) process.stderr.write(output);
  process.stdout.write(`${ok ? 'ok' : 'not ok'} ${file} ${seconds} s\n`);
});
const failed = chosen.filter((file) => !entries.get(file)?.ok);
process.stdout.write(`${report}: ${chosen.length} files run, ${failed.length} failed\n`);
process.exitCode = failed.length > 0 ? 1 : 0;
