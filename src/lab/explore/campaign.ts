import { designNamed, type NamedDesign, PRESETS, type PresetName } from '../../core/locking/presets.js';
import type { ExploredVerdict, Extent } from '../../core/locking/verdicts.js';
import { isOfSwitch, unexpected } from './expectations.js';
import { explore } from './explore.js';
import type { ExploreOptions } from './explorer.js';
import { type Counterexample, verdictOf } from './finding.js';
import { isProgramName } from './programs/program.js';
import type { Scenario } from './scenario.js';
import { type SecondPass, secondPass } from './second-pass.js';
import type { SeededBug } from './seeded-bugs/seeded-bug.js';

/** One scenario under one design. */
export interface CampaignResult {
  readonly locking: string;
  readonly scenario: string;
  readonly seededBug?: SeededBug;
  readonly mutex: 'futex' | 'blocking';
  readonly complete: boolean;
  readonly preemptions: number | 'unbounded';
  readonly states: number;
  readonly transitions: number;
  readonly seconds: number;
  /** The findings of both passes. */
  readonly findings: readonly Counterexample[];
  /** Present if the first pass found races. */
  readonly secondPass?: SecondPass;
  /** Missing and unexpected findings; empty for designs without an expectation. */
  readonly unexpected: readonly string[];
}

export function runOne({ name, design }: NamedDesign, scenario: Scenario, options: ExploreOptions): CampaignResult {
  const begin = performance.now();
  const { complete, bound, states, transitions, findings: found } = explore(scenario, design, options);
  // A caller that stops at the first finding has it, or needs no second pass.
  const isWhole = !options.isEnough && options.secondPass !== false;
  const second = isWhole ? secondPass(scenario, design, options, found) : undefined;
  const findings = [...found, ...(second?.findings ?? [])];
  const kinds = findings.map(({ kind }) => kind);
  return {
    locking: name,
    scenario: scenario.name,
    mutex: scenario.mutex ?? options.mutex ?? 'futex',
    complete,
    preemptions: bound ?? 'unbounded',
    states,
    transitions,
    seconds: Math.round(performance.now() - begin) / 1000,
    findings,
    ...(second && { secondPass: second }),
    unexpected: Object.hasOwn(PRESETS, name) ? unexpected(name as PresetName, scenario.name, kinds) : [],
  };
}

/** Explores a scenario with a seeded bug, which is the cause of every finding. */
export function runSeededBug(bug: SeededBug, scenario: Scenario, options: ExploreOptions): CampaignResult {
  const named = designNamed(bug.design ?? bug.locking);
  if (!named) throw new Error(`${bug.name}: there is no design ${bug.design}`);
  const result = runOne(named, scenario, { ...options, ...bug.options });
  return { ...result, seededBug: bug, unexpected: result.findings.length ? [`seeded bug: ${bug.description}`] : [] };
}

/** The verdict on a design: the worst of its findings that no scenario's own switch causes, and how far it was explored. */
export function verdictOn({ name, design }: NamedDesign, results: readonly CampaignResult[]): ExploredVerdict {
  const own = results.filter(({ locking }) => locking === name);
  const kinds = own.flatMap(({ scenario, findings }) =>
    findings.map(({ kind }) => kind).filter((kind) => !isOfSwitch(design, scenario, kind)),
  );
  const [programs, scenarios] = [true, false].map((wanted) =>
    extentOf(own.filter(({ scenario }) => isProgramName(scenario) === wanted)),
  );
  return { verdict: verdictOf(kinds), scenarios, programs };
}

function extentOf(results: readonly CampaignResult[]): Extent {
  const bounds = results.filter(({ complete }) => !complete).map(({ preemptions }) => Number(preemptions));
  return {
    complete: results.length - bounds.length,
    bounded: [...new Set(bounds)]
      .sort((a, b) => a - b)
      .map((preemptions) => ({ count: bounds.filter((bound) => bound === preemptions).length, preemptions })),
  };
}
