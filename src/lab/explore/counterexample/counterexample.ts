import type { CampaignResult } from '../campaign.js';
import type { Counterexample, FindingKind } from '../finding.js';
import type { Replayed, ReplayedFinding } from '../replay.js';
import { parseReplayString, type ReplayRequest, replay, replayString } from '../replay-string.js';
import { consequenceOf } from './consequence.js';
import { QEMU_LOCKS } from './qemu-names.js';
import { type Step, stepsOf } from './steps.js';

/** A counterexample step by step. All of it is plain JSON, for `explore --json` and the page. */
export interface CounterexampleDocument {
  readonly design: string;
  readonly scenario: string;
  /** The concurrent operations of the scenario. */
  readonly description: string;
  readonly kind: FindingKind;
  readonly summary: string;
  /** What follows for the guest, in one sentence. */
  readonly consequence: string;
  /** The argument of `explore --replay`. */
  readonly replay: string;
  readonly threads: readonly ThreadDescription[];
  readonly steps: readonly Step[];
  /** QEMU's names of the locks, by our names. */
  readonly locks: { readonly [name: string]: string };
}

export interface ThreadDescription {
  readonly name: string;
  /** Which paths run on the thread. */
  readonly role: string;
}

/** Replays the schedule of a finding, and describes it. */
export function describeFinding(result: CampaignResult, finding: Counterexample): CounterexampleDocument {
  const text = replayString(result, finding);
  const request = parseReplayString(text);
  if (!request) throw new Error(`${result.locking} × ${result.scenario} has no replay string`);
  const replayed = replay(request);
  return describe(text, request, replayed, identify(replayed, finding));
}

/** Describes a replay that shows a finding: the worst one. Undefined if it shows none. */
export function describeReplay(text: string, request: ReplayRequest, replayed: Replayed) {
  const [worst] = replayed.findings;
  return worst && describe(text, request, replayed, worst);
}

/** The replay's own record of a finding of the exploration. */
function identify({ findings }: Replayed, { kind, key, summary }: Counterexample): ReplayedFinding {
  const same = findings.filter((finding) => finding.kind === kind);
  const found =
    same.find((finding) => finding.summary === summary) ?? same.find((finding) => finding.key === key) ?? same[0];
  if (!found) throw new Error(`the replay does not show ${kind}: ${summary}`);
  return found;
}

function describe(
  text: string,
  { named, scenario }: ReplayRequest,
  replayed: Replayed,
  finding: ReplayedFinding,
): CounterexampleDocument {
  const { name, description, control } = scenario;
  const steps = stepsOf(replayed, scenario, finding);
  return {
    design: named.name,
    scenario: name,
    description,
    kind: finding.kind,
    summary: finding.summary,
    consequence: consequenceOf(finding, steps, replayed.threads),
    replay: text,
    threads: replayed.threads.map((name) => ({ name, role: roleOf(name, control !== undefined) })),
    steps,
    locks: QEMU_LOCKS,
  };
}

function roleOf(name: string, hasControl: boolean): string {
  if (name === 'main loop') return `path A: timer callbacks${hasControl ? '; path C: control work' : ''}`;
  if (/^vCPU/.test(name)) return 'path B: accesses of the guest';
  if (name === 'load thread') return 'background load: holds the BQL';
  if (/^locker/.test(name)) return 'takes and releases one lock';
  return name === 'gateway' ? 'submits requests and delivers events' : 'delivers frames';
}
