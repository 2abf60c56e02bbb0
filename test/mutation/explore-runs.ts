import { Session } from 'node:inspector';
import { fileURLToPath } from 'node:url';
import { PRESETS, type PresetName } from '../../src/core/locking/presets.js';
import { runOne } from '../../src/lab/explore/campaign.js';
import { scenarioNamed } from '../../src/lab/explore/scenarios.js';

/** An exploration: scenario and preset. */
export interface Run {
  readonly scenario: string;
  readonly locking: PresetName;
}

/** Part of a built file that a run executes: offsets in its text. */
export interface Reached {
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly executed: boolean;
}

export interface RunResult extends Run {
  readonly states: number;
  /** What is not as expected: the kill. */
  readonly unexpected: readonly string[];
  readonly reached?: readonly Reached[];
}

const SOURCE = fileURLToPath(new URL('../../src/', import.meta.url));

/** A mutant may make the state space far larger; a bounded run of the original is within this. */
const STATES = 100_000;

export function explored({ scenario, locking }: Run): RunResult {
  const named = { name: locking, design: PRESETS[locking] };
  const options = { mutex: 'blocking', maxStates: STATES, secondPass: false } as const;
  try {
    const { states, unexpected } = runOne(named, scenarioNamed(scenario), options);
    return { scenario, locking, states, unexpected };
  } catch (error) {
    return { scenario, locking, states: 0, unexpected: [`${(error as Error).name}: ${(error as Error).message}`] };
  }
}

/** The same with the parts of the built core and runtime that it executes, and that it does not. */
export function exploredWithCoverage(run: Run): RunResult {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  const result = explored(run);
  const reached: Reached[] = [];
  session.post('Profiler.takePreciseCoverage', (_, { result: scripts }) => {
    for (const { url, functions } of scripts) {
      const path = url.startsWith('file:') ? fileURLToPath(url) : '';
      if (!path.startsWith(SOURCE)) continue;
      const file = path.slice(SOURCE.length);
      if (!/^(core|runtime)\//.test(file)) continue;
      for (const { ranges } of functions) {
        for (const { startOffset: start, endOffset: end, count } of ranges) {
          reached.push({ file, start, end, executed: count > 0 });
        }
      }
    }
  });
  session.post('Profiler.stopPreciseCoverage');
  session.disconnect();
  return { ...result, reached };
}

/** A child of the tool: `RUNS` is a list of runs as JSON; prints one JSON line per run and stops at the first kill. */
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { runs, covers } = JSON.parse(process.env.RUNS ?? '{"runs":[]}');
  for (const run of runs as Run[]) {
    const result = covers ? exploredWithCoverage(run) : explored(run);
    process.stdout.write(`${JSON.stringify(result)}\n`);
    if (!covers && result.unexpected.length > 0) break;
  }
}
