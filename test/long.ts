import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { type Result, ROOT, runBatches, testFiles } from './support/suite.js';
import { TIERS } from './support/tier.js';

/**
 * The long tier: runs the built suite, or the test files whose path contains one of the arguments, with TEST_TIER=long.
 * It writes the result of each file to `.evidence/<commit>.json` as soon as the file ends. The suite takes hours: with
 * `--resume` a run skips the files that already passed at this commit. The tree of the commit must be unchanged.
 */

/** Seconds that one test file may take. */
const FILE_LIMIT = 3600;

/** The result of a test file. */
interface Entry {
  readonly file: string;
  readonly ok: boolean;
  readonly assertions: number;
  readonly skipped: number;
  readonly seconds: number;
  /** When it began. */
  readonly date: string;
  readonly commit: string;
  /** Whether the working tree differed from the commit. */
  readonly changed: boolean;
  /** The figures that it printed. */
  readonly figures: readonly string[];
}

function entryOf({ files: [file], ok, output, began, seconds }: Result): Entry {
  return { file, ok, ...count(output), ...circumstances(began), seconds };
}

/** Lines of TAP that close a subtest give its time; they are no assertions. */
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
  return { date: new Date(begin).toISOString(), commit: COMMIT, changed: git('status', '--porcelain') !== '' };
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds) / 1000;
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
}

const COMMIT = git('rev-parse', 'HEAD');
const EVIDENCE = join(ROOT, '.evidence');
const report = join(EVIDENCE, `${COMMIT.slice(0, 12)}.json`);
const built = testFiles([]);
/** By file. */
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

const parts = process.argv.slice(2).filter((argument) => argument !== '--resume');
const resumes = process.argv.includes('--resume');
if ((resumes || parts.length > 0) && existsSync(report)) {
  for (const entry of JSON.parse(readFileSync(report, 'utf8')).files as Entry[]) entries.set(entry.file, entry);
}
const passed = ({ ok, changed }: Entry) => ok && !changed;
const chosen = testFiles(parts);
const batches = chosen
  .filter((file) => !(resumes && entries.has(file) && passed(entries.get(file)!)))
  .map((file) => [file]);
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
process.stdout.write(`${report}: ${batches.length} of ${chosen.length} files run, ${failed.length} failed\n`);
process.exitCode = failed.length > 0 ? 1 : 0;
