import { fileURLToPath } from 'node:url';
import { PRESETS, type PresetName } from '../../src/core/locking/presets.js';
import { runOne } from '../../src/lab/explore/campaign.js';
import { PREPARED_NAMES, programsOf } from '../../src/lab/explore/programs/sweep.js';
import { SCENARIOS, scenarioNamed } from '../../src/lab/explore/scenarios.js';
import { GraphDigest } from './graph-digest.js';
import { CoverageSession, type Reached } from './reach.js';

/** An exploration: scenario or generated program, and preset. */
export interface Run {
  readonly scenario: string;
  readonly locking: PresetName;
}

export interface RunResult extends Run {
  readonly states: number;
  readonly ms: number;
  /** Whether every reachable state was visited. */
  readonly complete: boolean;
  /** Of the state graph. */
  readonly digest: string;
  /** What is not as expected: the kill. */
  readonly unexpected: readonly string[];
  readonly reached?: readonly Reached[];
}

/** Presets that between them have every axis value but those of `bql` and `none`. */
const DESIGNS: readonly PresetName[] = [
  'lockless-irq',
  'lockless-timer',
  'deferred-irq',
  'deferred-revalidated',
  'kick-and-drain',
  'try-queue',
  'nested-mutex',
  'drop-reacquire',
];

/** Generated programs of each prepared machine under each design: others under another design. */
const PROGRAMS = 5;

/** Nearly every fault is found in fewer states, and a mutant may make the state space far larger. */
const STATES = 30_000;

/** All scenarios, and generated programs spread over all prepared machines. */
export function allRuns(): Run[] {
  const generated = programsOf({ designs: [], machines: PREPARED_NAMES });
  return DESIGNS.flatMap((locking, design) => [
    ...SCENARIOS.map(({ name }) => ({ scenario: name, locking })),
    ...generated.flatMap(({ programs }) => {
      const stride = Math.max(1, Math.floor(programs.length / PROGRAMS));
      const chosen = programs.filter((_, i) => i % stride === Math.floor((design * stride) / DESIGNS.length));
      return chosen.map(({ name }) => ({ scenario: name, locking }));
    }),
  ]);
}

function explored({ scenario, locking }: Run): RunResult {
  const begin = performance.now();
  const digest = new GraphDigest();
  const options = { mutex: 'blocking', maxStates: STATES, secondPass: false, watch: () => digest } as const;
  const ms = () => Math.round(performance.now() - begin);
  try {
    const result = runOne({ name: locking, design: PRESETS[locking] }, scenarioNamed(scenario), options);
    const { states, transitions, complete, unexpected } = result;
    return { scenario, locking, states, ms: ms(), complete, digest: digest.text(states, transitions), unexpected };
  } catch (error) {
    const { name, message } = error as Error;
    const unexpected = [`${name}: ${message}`];
    return { scenario, locking, states: 0, ms: ms(), complete: false, digest: '', unexpected };
  }
}

/** A child of the tool: `RUNS` is a list of runs as JSON. Prints a JSON line per run. Unless it `covers`, stops at the first kill. */
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { runs, covers } = JSON.parse(process.env.RUNS ?? '{"runs":[]}') as { runs: Run[]; covers: boolean };
  const session = covers ? new CoverageSession() : undefined;
  for (const run of runs) {
    const result = explored(run);
    process.stdout.write(`${JSON.stringify({ ...result, ...(session && { reached: session.take() }) })}\n`);
    if (!covers && result.unexpected.length > 0) break;
  }
}
