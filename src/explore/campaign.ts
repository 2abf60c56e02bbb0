import type { Design } from '../locking/axes.js';
import {
  CONTROL_AXIS,
  IRQ_AXIS,
  MMIO_AXIS,
  PRESET_NAMES,
  PRESETS,
  type PresetName,
  TIMER_AXIS,
} from '../locking/presets.js';
import { unexpected } from './expectations.js';
import { explore } from './explore.js';
import type { ExploreOptions } from './explorer.js';
import type { Counterexample } from './finding.js';
import type { Scenario } from './scenario.js';
import { SCENARIOS } from './scenarios/index.js';
import { decodeSchedule, encodeSchedule } from './schedule.js';

/** A design by the name of a preset, or by its axes: `mmio/timer/irq/control`. */
export interface NamedDesign {
  readonly name: string;
  readonly design: Design;
}

/** One scenario under one design. */
export interface CampaignResult {
  readonly locking: string;
  readonly scenario: string;
  readonly mutex: 'futex' | 'blocking';
  readonly complete: boolean;
  readonly preemptions: number | 'unbounded';
  readonly states: number;
  readonly transitions: number;
  readonly seconds: number;
  readonly findings: readonly Counterexample[];
  /** What is not as expected; empty for designs that no expectation exists for. */
  readonly unexpected: readonly string[];
}

/** Undefined if there is no such design. */
export function designNamed(name: string): NamedDesign | undefined {
  if (Object.hasOwn(PRESETS, name)) return { name, design: PRESETS[name as PresetName] };
  const parts = name.split('/');
  const mmio = MMIO_AXIS.find((axis) => axis.name === parts[0]);
  const timer = TIMER_AXIS.find((axis) => axis.name === parts[1]);
  const irq = IRQ_AXIS.find((axis) => axis.name === parts[2]);
  const control = CONTROL_AXIS.find((axis) => axis.name === (parts[3] ?? 'ordered'));
  if (!mmio || !timer || !irq || !control || parts.length > 4) return undefined;
  return {
    name: [mmio, timer, irq, control].map((axis) => axis.name).join('/'),
    design: { mmio, timer, irq, control },
  };
}

export function allPresets(): NamedDesign[] {
  return PRESET_NAMES.map((name) => ({ name, design: PRESETS[name] }));
}

/** All combinations of mmio, timer and irq, with control `ordered`. */
export function allCombinations(): NamedDesign[] {
  const names = MMIO_AXIS.flatMap((mmio) =>
    TIMER_AXIS.flatMap((timer) => IRQ_AXIS.map((irq) => `${mmio.name}/${timer.name}/${irq.name}`)),
  );
  return names.map((name) => designNamed(name) as NamedDesign);
}

export function scenarioNamed(name: string): Scenario | undefined {
  return SCENARIOS.find((scenario) => scenario.name === name);
}

export function runOne({ name, design }: NamedDesign, scenario: Scenario, options: ExploreOptions): CampaignResult {
  const begin = performance.now();
  const { complete, states, transitions, findings } = explore(scenario, design, options);
  const kinds = findings.map(({ kind }) => kind);
  return {
    locking: name,
    scenario: scenario.name,
    mutex: scenario.mutex ?? options.mutex ?? 'futex',
    complete,
    preemptions: options.preemptions ?? 'unbounded',
    states,
    transitions,
    seconds: Math.round(performance.now() - begin) / 1000,
    findings,
    unexpected: Object.hasOwn(PRESETS, name) ? unexpected(name as PresetName, scenario.name, kinds) : [],
  };
}

/** A string that says all that a replay needs: `nested-mutex:callback-comparator:futex:3b19a2b`. */
export function replayString({ locking, scenario, mutex }: CampaignResult, finding: Counterexample): string {
  return [locking, scenario, mutex, encodeSchedule(finding.path)].join(':');
}

export interface ReplayRequest {
  readonly named: NamedDesign;
  readonly scenario: Scenario;
  readonly options: ExploreOptions;
  readonly schedule: readonly number[];
}

/** Undefined if the text is no replay string of a design and scenario that exist. */
export function parseReplayString(text: string): ReplayRequest | undefined {
  const [locking, scenarioName, mutex, scheduleText] = text.split(':');
  const named = designNamed(locking);
  const scenario = scenarioNamed(scenarioName ?? '');
  const schedule = decodeSchedule(scheduleText ?? '');
  if (!named || !scenario || !schedule || (mutex !== 'futex' && mutex !== 'blocking')) return undefined;
  return { named, scenario, options: { mutex }, schedule };
}
