import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testFiles } from '../support/suite.js';
import { allRuns, type Run, type RunResult } from './explorations.js';
import type { Mirror } from './mirror.js';
import type { Mutant } from './mutants.js';
import { mutantsReached, reachedOf, type ScriptCoverage } from './reach.js';

/** An exploration or a test file, without a mutant. */
export interface Reach {
  readonly name: string;
  readonly run?: Run;
  readonly ms: number;
  readonly complete?: boolean;
  readonly digest?: string;
  /** Not as expected, or a test that fails: of no use. */
  readonly fails: boolean;
  /** Identities of the mutants whose line it executes. */
  readonly mutants: readonly string[];
}

/** Folders with tests that execute core or runtime and are quick. */
const TESTS = ['test/core/', 'test/runtime/', 'test/lab/replay/', 'test/server/service/', 'test/server/state/'];
const TEST_MS = 40_000;
/** Explorations of one child. */
const CHUNK = 25;

export function nameOf({ locking, scenario }: Run): string {
  return `${locking} × ${scenario}`;
}

/** What each exploration and each test file reaches. Kept in a file, where a later call continues. */
export function coverage(mirror: Mirror, mutants: readonly Mutant[], folder: string): Reach[] {
  const file = join(folder, 'reach.jsonl');
  const build = createHash('sha256').update(JSON.stringify(mutants)).digest('hex');
  const [first, ...lines] = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
  const isCurrent = first !== undefined && JSON.parse(first).build === build;
  if (!isCurrent) writeFileSync(file, `${JSON.stringify({ build })}\n`);
  const all: Reach[] = isCurrent ? lines.map((line) => JSON.parse(line)) : [];
  const known = new Set(all.map(({ name }) => name));
  const add = (reach: Reach) => {
    all.push(reach);
    appendFileSync(file, `${JSON.stringify(reach)}\n`);
  };
  const runs = allRuns().filter((run) => !known.has(nameOf(run)));
  for (let at = 0; at < runs.length; at += CHUNK) {
    process.stderr.write(`\rexplorations without a mutant: ${runs.length - at} left  `);
    for (const { reached = [], ...result } of explore(mirror, runs.slice(at, at + CHUNK), true, 600_000) ?? []) {
      const { scenario, locking, ms, complete, digest, unexpected } = result;
      const run = { scenario, locking };
      const fails = unexpected.length > 0;
      add({ name: nameOf(run), run, ms, complete, digest, fails, mutants: mutantsReached(mutants, reached) });
    }
  }
  const tests = testFiles(TESTS).filter((test) => !known.has(test));
  for (const [number, test] of tests.entries()) {
    process.stderr.write(`\rtests without a mutant: ${tests.length - number} left  `);
    add(testReach(mirror, test, mutants));
  }
  return all;
}

/** Runs explorations of the copy; undefined if they take longer than `timeout` (ms). */
export function explore(
  mirror: Mirror,
  runs: readonly Run[],
  covers: boolean,
  timeout: number,
): RunResult[] | undefined {
  const program = 'dist/test/mutation/explorations.js';
  const { stdout, signal } = mirror.run(program, { RUNS: JSON.stringify({ runs, covers }) }, timeout);
  if (signal) return undefined;
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

/** None if the file has no end: the test killed the process that wrote it. */
function scriptsOf(file: string): ScriptCoverage[] {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).result;
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

function testReach(mirror: Mirror, test: string, mutants: readonly Mutant[]): Reach {
  const folder = mkdtempSync(join(tmpdir(), 'mutation-'));
  const begin = Date.now();
  const { status } = mirror.run(test, { NODE_V8_COVERAGE: folder, TEST_TIER: 'test' }, TEST_MS);
  const ms = Date.now() - begin;
  const scripts = readdirSync(folder).flatMap((name) => scriptsOf(join(folder, name)));
  rmSync(folder, { recursive: true });
  const reached = reachedOf(scripts, join(mirror.root, 'dist/src/'));
  return { name: test, ms, fails: status !== 0, mutants: mutantsReached(mutants, reached) };
}
