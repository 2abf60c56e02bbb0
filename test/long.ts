import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { TIERS } from './support/tier.js';

/**
 * The long tier: runs the built suite with TEST_TIER=long and writes what came of it to
 * `docs/evidence/<date>.json`. With arguments, only test files whose path contains one of them run, and the result
 * goes to standard output: part of a suite is evidence of nothing.
 */

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TAP = fileURLToPath(new URL('../../node_modules/.bin/tap', import.meta.url));
/** Seconds that one test file may take. */
const FILE_LIMIT = 1800;
/** Milliseconds that the suite may take. */
const LIMIT = 3 * 3600 * 1000;

/** What tap's JSON reporter tells of a file. */
interface Suite {
  readonly name: string;
  readonly ok: boolean;
  readonly assertions: number;
  readonly skipped?: number;
  /** ms */
  readonly time: number;
}

interface SuiteReport {
  readonly suites: readonly Suite[];
}

async function run(files: readonly string[]): Promise<{ report: SuiteReport; status: number | null }> {
  const child = spawn(TAP, ['--reporter=json', `--timeout=${FILE_LIMIT}`, ...files], {
    cwd: ROOT,
    env: { ...process.env, TEST_TIER: 'long' },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: LIMIT,
  });
  const ended = new Promise<number | null>((resolve, reject) => child.once('close', resolve).once('error', reject));
  const output = await text(child.stdout);
  const status = await ended;
  try {
    return { report: JSON.parse(output), status };
  } catch {
    throw new Error(`the suite was broken off, with status ${status}; it told:\n${output.slice(-2000)}`);
  }
}

function evidence({ suites }: SuiteReport, status: number | null, begin: Date) {
  const files = suites.map(({ name, ok, assertions, skipped = 0, time }) => ({
    file: name,
    ok,
    assertions,
    skipped,
    seconds: seconds(time),
  }));
  return {
    date: begin.toISOString(),
    commit: git('rev-parse', 'HEAD'),
    changed: git('status', '--porcelain', '--', ':!docs/evidence') !== '',
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cores: availableParallelism(),
    cpu: cpus()[0].model,
    tier: { name: 'long', ...TIERS.long },
    totals: {
      ok: status === 0,
      files: files.length,
      failed: files.filter(({ ok }) => !ok).length,
      assertions: files.reduce((sum, file) => sum + file.assertions, 0),
      seconds: seconds(Date.now() - begin.getTime()),
    },
    files,
  };
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds) / 1000;
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
}

/** Built test files whose path contains one of `parts`, or all. */
function builtTests(parts: readonly string[]): string[] {
  return readdirSync(join(ROOT, 'dist/test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.js'))
    .map((file) => join('dist/test', file))
    .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
    .sort();
}

const parts = process.argv.slice(2);
const begin = new Date();
const files = builtTests(parts);
if (files.length === 0) throw new Error(`no built test file contains ${parts.join(' or ')}`);
const { report, status } = await run(files);
const result = evidence(report, status, begin);
const json = `${JSON.stringify(result, null, 2)}\n`;
if (parts.length > 0) {
  process.stdout.write(json);
} else {
  const folder = join(ROOT, 'docs/evidence');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${result.date.slice(0, 10)}.json`);
  writeFileSync(file, json);
  process.stdout.write(`${file}: ${result.totals.files} files, ${result.totals.failed} failed\n`);
}
process.exitCode = result.totals.ok && result.totals.failed === 0 ? 0 : 1;
