import { type CampaignResult, scenarioNamed } from './campaign.js';
import { designNamed, type NamedDesign } from './designs.js';
import type { ExploreOptions } from './explorer.js';
import type { Counterexample } from './finding.js';
import { plantNamed } from './planted/index.js';
import { type Replayed, replaySchedule } from './replay.js';
import type { Scenario } from './scenario.js';
import { decodeSchedule, decodeWords, encodeSchedule, encodeWords } from './schedule.js';

/**
 * A string that says all that a replay needs: `nested-mutex:callback-comparator:futex:3b19a2b`, and what is planted. Of
 * the second pass, behind `futex` or `blocking`, also the data words that are scheduling points: `blocking@1030-1033,1040`.
 */
export function replayString({ locking, scenario, mutex, plant }: CampaignResult, finding: Counterexample): string {
  const how = finding.points ? `${mutex}@${encodeWords(finding.points)}` : mutex;
  const parts = [locking, scenario, how, encodeSchedule(finding.path)];
  return (plant ? [...parts, plant.name] : parts).join(':');
}

export interface ReplayRequest {
  readonly named: NamedDesign;
  readonly scenario: Scenario;
  readonly options: ExploreOptions;
  readonly schedule: readonly number[];
}

/** Undefined if the text is no replay string of a design, scenario and mistake that exist. */
export function parseReplayString(text: string): ReplayRequest | undefined {
  const [locking, scenarioName, how = '', scheduleText, plantName] = text.split(':');
  const [mutex, wordsText] = how.split('@');
  const points = wordsText === undefined ? undefined : decodeWords(wordsText);
  if (wordsText !== undefined && !points) return undefined;
  const named = designNamed(locking);
  const scenario = scenarioNamed(scenarioName ?? '');
  const schedule = decodeSchedule(scheduleText ?? '');
  const plant = plantName === undefined ? undefined : plantNamed(plantName);
  if (plantName !== undefined && !plant) return undefined;
  if (!named || !scenario || !schedule || (mutex !== 'futex' && mutex !== 'blocking')) return undefined;
  return { named, scenario, options: { mutex, points, ...plant?.options }, schedule };
}

/** Runs the schedule that a replay string names, with its mistake planted. Without a timeline it is much faster. */
export function replay({ named, scenario, options, schedule }: ReplayRequest, withTimeline = true): Replayed {
  return replaySchedule(scenario, named.design, schedule, options, withTimeline);
}

/** Runs the way to a finding again. */
export function replayFinding(result: CampaignResult, finding: Counterexample, withTimeline = true): Replayed {
  const request = parseReplayString(replayString(result, finding));
  if (!request) throw new Error(`${result.locking} × ${result.scenario} cannot be named`);
  return replay(request, withTimeline);
}
