import { designNamed, type NamedDesign } from '../../core/locking/presets.js';
import type { CampaignResult } from './campaign.js';
import type { ExploreOptions } from './explorer.js';
import type { Counterexample } from './finding.js';
import { isProgramName } from './programs/program.js';
import { type Replayed, replaySchedule } from './replay.js';
import type { Scenario } from './scenario.js';
import { findScenario } from './scenarios.js';
import { decodeSchedule, decodeWords, encodeSchedule, encodeWords } from './schedule.js';
import { findSeededBug } from './seeded-bugs.js';

/**
 * All that a replay needs, as `design:scenario:mutex:schedule`, for example
 * `nested-mutex:callback-comparator:futex:3b19a2b`, and `:bug` if a bug is seeded. A finding of the second pass adds to
 * the mutex the data words that are scheduling points: `blocking@1030-1033,1040`.
 */
export function replayString({ locking, scenario, mutex, seededBug }: CampaignResult, finding: Counterexample): string {
  const how = finding.points ? `${mutex}@${encodeWords(finding.points)}` : mutex;
  const parts = [locking, scenario, how, encodeSchedule(finding.path)];
  return (seededBug ? [...parts, seededBug.name] : parts).join(':');
}

export interface ReplayRequest {
  readonly named: NamedDesign;
  readonly scenario: Scenario;
  readonly options: ExploreOptions;
  readonly schedule: readonly number[];
}

/** Undefined if the text is not a replay string, or names an unknown design, scenario or seeded bug. */
export function parseReplayString(text: string): ReplayRequest | undefined {
  const [locking, ...parts] = text.split(':');
  // The name of a generated program has three parts.
  const scenarioName = parts.splice(0, isProgramName(`${parts[0]}:`) ? 3 : 1).join(':');
  const [how = '', scheduleText, bugName] = parts;
  const [mutex, wordsText] = how.split('@');
  const points = wordsText === undefined ? undefined : decodeWords(wordsText);
  if (wordsText !== undefined && !points) return undefined;
  const named = designNamed(locking);
  const scenario = findScenario(scenarioName);
  const schedule = decodeSchedule(scheduleText ?? '');
  const bug = bugName === undefined ? undefined : findSeededBug(bugName);
  if (bugName !== undefined && !bug) return undefined;
  if (!named || !scenario || !schedule || (mutex !== 'futex' && mutex !== 'blocking')) return undefined;
  return { named, scenario, options: { mutex, points, ...bug?.options }, schedule };
}

/** Runs the schedule of a replay string, with its bug seeded. It is much faster without a timeline. */
export function replay({ named, scenario, options, schedule }: ReplayRequest, withTimeline = true): Replayed {
  return replaySchedule(scenario, named.design, schedule, options, withTimeline);
}

/** Replays the schedule that leads to a finding. */
export function replayFinding(result: CampaignResult, finding: Counterexample, withTimeline = true): Replayed {
  const request = parseReplayString(replayString(result, finding));
  if (!request) throw new Error(`${result.locking} × ${result.scenario} has no replay string`);
  return replay(request, withTimeline);
}
