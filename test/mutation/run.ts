import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PRESET_NAMES } from '../../src/core/locking/presets.js';
import { SCENARIOS } from '../../src/lab/explore/scenarios.js';
import type { Run, RunResult } from './explore-runs.js';
import { allMutants, type Mutant, mutated } from './mutants.js';

/**
 * Mutation testing of the built core and runtime: `npm run test:mutation -- [--minutes N] [--every N] [--scenarios …]
 * [--designs …]`. Applies each mutant to
 * a copy of the build, runs the explorations that reach the mutated line, cheapest first, then the tests of its folder,
 * and stops at the first kill. Results are appended to `.evidence/mutation/results.jsonl`; a later run continues there.
 */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FOLDER = join(ROOT, '.evidence/mutation');
/** Beside the build, so that paths from its files to the repository hold. */
const COPY = join(ROOT, '.mutation');
const RESULTS = join(FOLDER, 'results.jsonl');

/** Presets that between them have every axis value but those of `bql` and `none`. */
const DESIGNS = PRESET_NAMES.filter((name) =>
  ['lockless-timer', 'deferred-irq', 'kick-and-drain', 'try-queue', 'deferred-revalidated'].includes(name),
);
const RUN_MS = 60_000;
const TEST_MS = 120_000;

interface Result {
  readonly id: string;
  readonly found: 'exploration' | 'tests' | 'survived' | 'not reached';
  readonly by?: string;
}

function option(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
}

/** The names that an option lists, or all. */
function chosen<T extends string>(name: string, all: readonly T[]): readonly T[] {
  const names = option(name)?.split(',');
  return names ? all.filter((each) => names.includes(each)) : all;
}

function explore(dist: string, runs: readonly Run[], covers: boolean, timeout: number): RunResult[] | 'hangs' {
  const { stdout, signal } = spawnSync(process.execPath, [join(dist, 'test/mutation/explore-runs.js')], {
    cwd: ROOT,
    env: { ...process.env, RUNS: JSON.stringify({ runs, covers }) },
    encoding: 'utf8',
    timeout,
    maxBuffer: 2 ** 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  if (signal) return 'hangs';
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

/** Every run of the original with what it reaches, cheapest first; kept in a file. */
function coverage(): RunResult[] {
  const scenarios = chosen(
    'scenarios',
    SCENARIOS.map(({ name }) => name),
  );
  const designs = chosen('designs', DESIGNS);
  const file = join(FOLDER, `coverage-${scenarios.length}-${designs.length}.json`);
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'));
  const all: RunResult[] = [];
  for (const scenario of scenarios) {
    const runs = designs.map((locking) => ({ scenario, locking }));
    const results = explore(join(ROOT, 'dist'), runs, true, runs.length * RUN_MS);
    if (results === 'hangs') continue;
    all.push(...results.filter(({ unexpected }) => unexpected.length === 0));
  }
  all.sort((one, other) => one.states - other.states);
  writeFileSync(file, JSON.stringify(all));
  return all;
}

/** Whether a run executes a line: the innermost range around it counts. */
function reaches({ reached = [] }: RunResult, { file, line }: Mutant): boolean {
  const text = readFileSync(join(ROOT, 'dist/src', file), 'utf8').split('\n');
  const offset = text.slice(0, line - 1).join('\n').length + 1 + (/^ */.exec(text[line - 1])?.[0].length ?? 0);
  const around = reached.filter((range) => range.file === file && range.start <= offset && offset < range.end);
  around.sort((one, other) => one.end - one.start - (other.end - other.start));
  return around[0]?.executed ?? false;
}

/** The tests of a mutant's folder. */
function folderOf({ file }: Mutant): string {
  return file.split('/').slice(0, 2).join('/');
}

function testsPass(folder: string): boolean {
  const args = [join(COPY, 'test/run.js'), `test/${folder}/`];
  return spawnSync(process.execPath, args, { cwd: ROOT, timeout: TEST_MS, stdio: 'ignore' }).status === 0;
}

function judge(mutant: Mutant, runs: readonly RunResult[]): Result {
  const target = join(COPY, 'src', mutant.file);
  const original = readFileSync(target, 'utf8');
  writeFileSync(target, mutated(mutant));
  try {
    const reaching = runs.filter((run) => reaches(run, mutant)).map(({ scenario, locking }) => ({ scenario, locking }));
    const results = explore(COPY, reaching.slice(0, 40), false, RUN_MS);
    if (results === 'hangs') return { id: mutant.id, found: 'exploration', by: 'an exploration that does not end' };
    const killer = results.at(-1);
    if (killer && killer.unexpected.length > 0) {
      return {
        id: mutant.id,
        found: 'exploration',
        by: `${killer.locking} × ${killer.scenario}: ${killer.unexpected[0]}`,
      };
    }
    if (results.length < Math.min(40, reaching.length)) return { id: mutant.id, found: 'exploration', by: 'exit' };
    const folder = folderOf(mutant);
    if (!testsPass(folder)) return { id: mutant.id, found: 'tests', by: folder };
    return { id: mutant.id, found: reaching.length > 0 ? 'survived' : 'not reached' };
  } finally {
    writeFileSync(target, original);
  }
}

mkdirSync(FOLDER, { recursive: true });
cpSync(join(ROOT, 'dist'), COPY, { recursive: true });
const known = existsSync(RESULTS)
  ? readFileSync(RESULTS, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Result)
  : [];
const end = Date.now() + Number(option('minutes') ?? 180) * 60_000;
const every = Number(option('every') ?? 1);
const runs = coverage();
/** Per folder, whether its tests pass without a mutant: else they would kill every one. */
const passing = new Map<string, boolean>();
for (const [number, mutant] of allMutants().entries()) {
  if (number % every !== 0 || known.some(({ id }) => id === mutant.id) || Date.now() > end) continue;
  const folder = folderOf(mutant);
  if (!passing.has(folder)) passing.set(folder, testsPass(folder));
  if (!passing.get(folder)) throw new Error(`the tests of ${folder} fail without a mutant`);
  const result = judge(mutant, runs);
  known.push(result);
  appendFileSync(RESULTS, `${JSON.stringify(result)}\n`);
  process.stdout.write(`${result.found.padEnd(12)} ${result.id} ${result.by ?? ''}\n`);
}
for (const found of ['exploration', 'tests', 'survived', 'not reached'] as const) {
  process.stdout.write(`${found}: ${known.filter((result) => result.found === found).length}\n`);
}
