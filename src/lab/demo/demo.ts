import { designNamed, type NamedDesign, type PresetName } from '../../core/locking/presets.js';
import { type ComparisonOptions, compare } from '../compare/comparison.js';
import { conditionsOf } from '../compare/condition.js';
import type { Comparison } from '../compare/figures.js';
import { type CampaignResult, runOne } from '../explore/campaign.js';
import type { Scenario } from '../explore/scenario.js';
import { scenarioNamed } from '../explore/scenarios.js';
import { type Boot, boot } from './boot.js';

/** The design of the server, which is the default. */
const SERVED: PresetName = 'lockless-timer';
const COMPARED: readonly PresetName[] = ['bql', 'lockless-timer', 'lockless-irq'];
const EXPLORED: readonly PresetName[] = ['nested-mutex', 'lockless-timer'];
const SCENARIO = 'callback-comparator';

export interface DemoOptions {
  /** The trace to replay. */
  readonly trace: string;
  readonly rounds: number;
  readonly partMs: number;
}

export interface DemoResult {
  readonly boot: Boot;
  readonly comparison: Comparison;
  readonly explorations: readonly CampaignResult[];
  readonly scenario: Scenario;
  readonly seconds: number;
}

/** Called at the start of each step. */
export type OnPart = (part: string) => void;

/** Serves, measures and explores, one after the other; when it returns, nothing of it is left. */
export async function demo({ trace, rounds, partMs }: DemoOptions, onPart: OnPart): Promise<DemoResult> {
  const begin = performance.now();
  onPart('replaying a boot on a server');
  const booted = await boot(trace, SERVED);
  const measured: ComparisonOptions = { designs: COMPARED, conditions: conditionsOf({}), rounds, partMs, seed: 1 };
  onPart('measuring designs');
  const comparison = await compare(measured, (done, all, locking) =>
    onPart(`measuring designs: ${locking}, ${done} of ${all}`),
  );
  const scenario = scenarioNamed(SCENARIO);
  const explorations = EXPLORED.map((name) => {
    onPart(`exploring ${name}`);
    return runOne(designNamed(name) as NamedDesign, scenario, { mutex: 'blocking' });
  });
  return { boot: booted, comparison, explorations, scenario, seconds: (performance.now() - begin) / 1000 };
}

/** Whether the guest saw what it saw when it was recorded, and exploration found exactly what is expected. */
export function isAsExpected({ boot, explorations }: DemoResult): boolean {
  return boot.mismatch === undefined && explorations.every(({ unexpected }) => unexpected.length === 0);
}
