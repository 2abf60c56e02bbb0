import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { coverage, explore, nameOf, type Reach } from './coverage.js';
import { Mirror, ROOT } from './mirror.js';
import { allMutants, type Mutant } from './mutants.js';
import { matrix, type Result } from './report.js';

const HELP = `Usage: npm run test:mutation -- [options]

Mutation testing of the built core and runtime. Applies each mutant to a copy of
the build, runs the explorations that reach the mutated line, cheapest first,
then the test files that reach it, and stops at the first kill. Appends the
results to .evidence/mutation/results.jsonl; a later run continues there.

  --minutes N    stops after N minutes (default 180)
  --every N      every Nth mutant
  --only TEXT    mutants whose identity contains the text
  --again        judges mutants that survived or were not reached once more
  --list         prints the mutants and ends
  --report       writes docs/mutants.md from the results and ends
  --help         prints this and ends
`;
const FOLDER = join(ROOT, '.evidence/mutation');
const RESULTS = join(FOLDER, 'results.jsonl');
/** Of explorations and of tests, by what they take without a mutant: the cheapest first, up to so many ms. */
const BUDGET_MS = { explorations: 20_000, tests: 60_000 };
/** A run with a mutant hangs if it takes this many times as long as without, and ms more. */
const PATIENCE = { factor: 4, ms: 30_000 };

/** The cheapest that take no more than `budget` together, but at least one. */
function affordable(all: readonly Reach[], budget: number): Reach[] {
  let spent = 0;
  return [...all]
    .sort((one, other) => one.ms - other.ms)
    .filter(({ ms }, i) => {
      spent += ms;
      return i === 0 || spent <= budget;
    });
}

function timeoutFor(all: readonly Reach[]): number {
  return PATIENCE.ms + PATIENCE.factor * all.reduce((sum, { ms }) => sum + ms, 0);
}

/** What killed the mutant, or whether the state graph of all explorations is the same. */
function byExploration(mirror: Mirror, explorations: readonly Reach[]): { by?: string; isSame: boolean } {
  const chosen = affordable(explorations, BUDGET_MS.explorations);
  const runs = chosen.flatMap(({ run }) => run ?? []);
  if (runs.length === 0) return { isSame: false };
  const results = explore(mirror, runs, false, timeoutFor(chosen));
  if (!results) return { by: 'an exploration that does not end', isSame: false };
  const killer = results.find(({ unexpected }) => unexpected.length > 0);
  if (killer) return { by: `${nameOf(killer)}: ${killer.unexpected[0]}`, isSame: false };
  if (results.length < runs.length) return { by: `${nameOf(runs[results.length])}: exit`, isSame: false };
  const isSame = results.every(({ digest }, i) => digest === chosen[i].digest);
  return { isSame: isSame && results.some(({ complete }) => complete) };
}

/** The test file that fails, twice. */
function byTest(mirror: Mirror, tests: readonly Reach[]): string | undefined {
  const fails = (test: Reach) => mirror.run(test.name, { TEST_TIER: 'test' }, timeoutFor([test])).status !== 0;
  return affordable(tests, BUDGET_MS.tests).find((test) => fails(test) && fails(test))?.name;
}

function judge(mirror: Mirror, mutant: Mutant, all: readonly Reach[]): Result {
  const { id } = mutant;
  const reaching = all.filter(({ fails, mutants }) => !fails && mutants.includes(id));
  const explorations = reaching.filter(({ run }) => run);
  return mirror.with(mutant, () => {
    const { by, isSame } = byExploration(mirror, explorations);
    if (by) return { id, found: 'exploration', by };
    const test = byTest(
      mirror,
      reaching.filter(({ run }) => !run),
    );
    if (test) return { id, found: 'tests', by: test };
    if (reaching.length === 0) return { id, found: 'not reached' };
    return { id, found: isSame ? 'same graph' : 'survived' };
  });
}

/** The last result of each mutant. */
function readResults(): Map<string, Result> {
  const lines = existsSync(RESULTS) ? readFileSync(RESULTS, 'utf8').split('\n').filter(Boolean) : [];
  const results = lines.map((line) => JSON.parse(line) as Result);
  return new Map(results.map((result) => [result.id, result]));
}

const isKill = ({ found }: Result) => found === 'exploration' || found === 'tests';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '180' },
    every: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    again: { type: 'boolean' },
    list: { type: 'boolean' },
    report: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
});

function run(): void {
  mkdirSync(FOLDER, { recursive: true });
  const end = Date.now() + Number(values.minutes) * 60_000;
  const mirror = new Mirror();
  const mutants = allMutants();
  const reach = coverage(mirror, mutants, FOLDER);
  const known = readResults();
  const chosen = mutants.filter(({ id }, i) => {
    const result = known.get(id);
    const isOpen = result === undefined || (values.again && !isKill(result));
    return isOpen && i % Number(values.every) === 0 && id.includes(values.only);
  });
  for (const [number, mutant] of chosen.entries()) {
    if (Date.now() > end) break;
    const result = judge(mirror, mutant, reach);
    appendFileSync(RESULTS, `${JSON.stringify(result)}\n`);
    const place = `[${number + 1}/${chosen.length}]`;
    process.stdout.write(`${place} ${result.found.padEnd(12)} ${result.id} ${result.by ?? ''}\n`);
  }
}

if (values.help) process.stdout.write(HELP);
else if (values.list) for (const { id, before } of allMutants()) process.stdout.write(`${id}\n${before}\n`);
else if (values.report) writeFileSync(join(ROOT, 'docs/mutants.md'), matrix(allMutants(), readResults()));
else run();
