import { PRESETS, type PresetName } from '../../core/locking/presets.js';
import { designNamed, type NamedDesign } from './designs.js';
import { unexpected } from './expectations.js';
import { boundOf, explore } from './explore.js';
import type { ExploreOptions } from './explorer.js';
import type { Counterexample } from './finding.js';
import type { Plant } from './planted/plant.js';
import type { Scenario } from './scenario.js';
import { SCENARIOS } from './scenarios/index.js';
import { type SecondPass, secondPass } from './second-pass.js';

/** One scenario under one design. */
export interface CampaignResult {
  readonly locking: string;
  readonly scenario: string;
  /** The mistake that was planted, if any. */
  readonly plant?: Plant;
  readonly mutex: 'futex' | 'blocking';
  readonly complete: boolean;
  readonly preemptions: number | 'unbounded';
  readonly states: number;
  readonly transitions: number;
  readonly seconds: number;
  /** Of both passes. */
  readonly findings: readonly Counterexample[];
  /** Where the first pass found races. */
  readonly secondPass?: SecondPass;
  /** What is not as expected; empty for designs that no expectation exists for. */
  readonly unexpected: readonly string[];
}

export function scenarioNamed(name: string): Scenario | undefined {
  return SCENARIOS.find((scenario) => scenario.name === name);
}

export function runOne({ name, design }: NamedDesign, scenario: Scenario, options: ExploreOptions): CampaignResult {
  const begin = performance.now();
  const { complete, states, transitions, findings: found } = explore(scenario, design, options);
  // Who asked for one finding alone has it, or does not care for more.
  const isWhole = !options.isEnough && options.harm !== false;
  const second = isWhole ? secondPass(scenario, design, options, found) : undefined;
  const findings = [...found, ...(second?.findings ?? [])];
  const kinds = findings.map(({ kind }) => kind);
  return {
    locking: name,
    scenario: scenario.name,
    mutex: scenario.mutex ?? options.mutex ?? 'futex',
    complete,
    preemptions: boundOf(scenario, design, options) ?? 'unbounded',
    states,
    transitions,
    seconds: Math.round(performance.now() - begin) / 1000,
    findings,
    ...(second && { secondPass: second }),
    unexpected: Object.hasOwn(PRESETS, name) ? unexpected(name as PresetName, scenario.name, kinds) : [],
  };
}

/** The same with a mistake planted; whatever it finds, the mistake is to blame. */
export function runPlanted(plant: Plant, scenario: Scenario, options: ExploreOptions): CampaignResult {
  const named = designNamed(plant.design ?? plant.locking);
  if (!named) throw new Error(`${plant.name}: there is no design ${plant.design}`);
  const result = runOne(named, scenario, { ...options, ...plant.options });
  return { ...result, plant, unexpected: result.findings.length ? [`planted: ${plant.mistake}`] : [] };
}
