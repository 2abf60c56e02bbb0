import type { Design } from '../../core/locking/axes.js';
import { Elision } from './elision.js';
import { makeSystem, oraclesFor } from './explore.js';
import type { ExploreOptions } from './explorer.js';
import { type Finding, worstFirst } from './finding.js';
import { type Fixture, setUp } from './fixture.js';
import type { HistoryNode } from './history.js';
import type { Oracle } from './oracle.js';
import type { Scenario } from './scenario.js';
import { type Points, type System, TICK, TIMEOUT } from './system.js';
import { describeAction, describePending, type TimelineEntry, WordValues } from './timeline.js';

/** The replay cannot follow its schedule: the schedule was recorded with other code, or is misspelt. */
export class ReplayError extends Error {
  override name = 'ReplayError';
}

export interface ReplayedFinding extends Finding {
  /** Indices of the actions in the timeline that violate the property. */
  readonly at: readonly number[];
  /** The outcome violates it, once all threads are at rest. */
  readonly isOutcome: boolean;
}

export interface Replayed {
  readonly threads: readonly string[];
  readonly timeline: readonly TimelineEntry[];
  readonly findings: readonly ReplayedFinding[];
  /** Whether nothing can happen after the schedule. */
  readonly isAtEnd: boolean;
}

/**
 * Runs one schedule with every synchronising operation a transition. Production code executes for each, so a breakpoint
 * hits with the thread's whole step on the stack. The schedule runs twice: first to find the shared words, then with
 * oracles.
 */
export function replaySchedule(
  scenario: Scenario,
  design: Design,
  schedule: readonly number[],
  options: ExploreOptions,
  withTimeline = true,
): Replayed {
  const seen = new Elision(setUp(scenario, design).map.words, false);
  const every = { isSchedulingPoint: () => true, isVisible: (node: HistoryNode) => seen.isVisible(node) };
  follow(scenario, design, schedule, options, { ...every, note: (thread, node) => seen.note(thread, node) }, false);
  return follow(scenario, design, schedule, options, { ...every, note() {} }, withTimeline);
}

function follow(
  scenario: Scenario,
  design: Design,
  schedule: readonly number[],
  options: ExploreOptions,
  points: Points,
  withTimeline: boolean,
): Replayed {
  const fixture = setUp(scenario, design, false, options.machine);
  const oracles = oraclesFor(fixture, design);
  const restore = options.seedBug?.();
  try {
    return followIn(fixture, oracles, schedule, options, points, withTimeline);
  } finally {
    restore?.();
  }
}

function followIn(
  fixture: Fixture,
  oracles: readonly Oracle[],
  schedule: readonly number[],
  options: ExploreOptions,
  points: Points,
  withTimeline: boolean,
): Replayed {
  const timeline: TimelineEntry[] = [];
  const report = new Report(timeline);
  const system = makeSystem(fixture, points, { ...options, merge: false }, (thread) => {
    for (const oracle of oracles) oracle.atStepEnd?.(system, thread, report.after(thread));
  });
  const { threads, state } = system;
  if (withTimeline) {
    const values = new WordValues(fixture.initial);
    system.execution.observer = (thread, node, value) => {
      const racy = system.execution.isPoint(node.kind, node.address);
      const from = values.update(state, node);
      timeline.push({ ...describeAction(fixture, state, thread, threads[thread].id, node, value), racy, ...from });
    };
  }
  system.execution.onNewAction = (thread, node) => {
    for (const oracle of oracles) oracle.beforeAction?.(system, thread, node, report.next(thread));
  };
  system.start();
  for (const [step, transition] of schedule.entries()) {
    if (!system.transitions().includes(transition)) {
      throw new ReplayError(`operation ${step + 1} of the schedule is not possible`);
    }
    const thread = transition & ~TIMEOUT;
    if (transition !== TICK) {
      for (const oracle of oracles) oracle.beforeTransition?.(system, thread, report.next(thread));
    }
    report.beginTransition();
    system.perform(transition);
    if (transition === TICK) continue;
    for (const oracle of oracles) oracle.afterTransition?.(system, thread, report.first(thread));
  }
  const isAtEnd = system.transitions().length === 0;
  if (isAtEnd) for (const oracle of oracles) oracle.atRest?.(system, report.atRest);
  if (withTimeline) describeRest(fixture, system, timeline);
  return { threads: threads.map(({ name }) => name), timeline, findings: report.findings(), isAtEnd };
}

/** Adds the action that each thread would perform next to the timeline. */
function describeRest(fixture: Fixture, system: System, timeline: TimelineEntry[]): void {
  const stuck = system.stuck();
  for (const [thread, { id }] of system.threads.entries()) {
    if (system.isIdle(thread)) continue;
    const node = system.nodes[thread];
    timeline.push(describePending(fixture, system.state, thread, id, node, stuck.includes(thread)));
  }
}

/**
 * The findings of a replay. Oracles run after each operation and so also see intermediate states of a transition: a race
 * with a write may first show as a race with the read before it. All are findings, so the requested one is among them.
 */
class Report {
  readonly #findings = new Map<string, { finding: Finding; at: () => number[]; isOutcome: boolean }>();
  /** Length of the timeline when the transition began. */
  #begin = 0;

  constructor(readonly timeline: readonly TimelineEntry[]) {}

  beginTransition(): void {
    this.#begin = this.timeline.length;
  }

  /** The thread's next action violates the property. */
  next(thread: number): (finding: Finding) => void {
    const from = this.timeline.length;
    return (finding) => this.#add(finding, () => this.#firstAction(thread, from));
  }

  /** The first action of the thread in this transition does, or both threads' accesses to the finding's word. */
  first(thread: number): (finding: Finding) => void {
    const [from, until] = [this.#begin, this.timeline.length];
    return (finding) => {
      const { word, address } = finding;
      if (address === undefined) this.#add(finding, () => this.#firstAction(thread, from));
      else this.#add(finding, () => this.#lastAccesses(word, until));
    };
  }

  /** The thread's last action does. */
  after(thread: number): (finding: Finding) => void {
    const until = this.timeline.length;
    return (finding) => this.#add(finding, () => this.#last(until, (entry) => entry.thread === thread));
  }

  /** The threads that are stuck violate it, or the last write to the finding's word, or the outcome. */
  readonly atRest = (finding: Finding): void => {
    const { kind, word } = finding;
    const isHang = kind === 'deadlock' || kind === 'livelock';
    const isWrite = (entry: TimelineEntry) => entry.word === word && entry.from !== undefined;
    const stuck = () => this.#actions(({ action }) => action === 'stuck');
    this.#add(finding, () => (isHang ? stuck() : this.#last(this.timeline.length, isWrite)), !isHang);
  };

  findings(): ReplayedFinding[] {
    return worstFirst(
      [...this.#findings.values()].map(({ finding, at, isOutcome }) => ({ ...finding, at: at(), isOutcome })),
    );
  }

  #add(finding: Finding, at: () => number[], isOutcome = false): void {
    const key = `${finding.kind} ${finding.summary}`;
    if (!this.#findings.has(key)) this.#findings.set(key, { finding, at, isOutcome });
  }

  #actions(matches: (entry: TimelineEntry) => boolean): number[] {
    return this.timeline.flatMap((entry, index) => (matches(entry) ? [index] : []));
  }

  #firstAction(thread: number, from: number): number[] {
    return this.#actions((entry) => entry.thread === thread)
      .filter((index) => index >= from)
      .slice(0, 1);
  }

  #last(until: number, matches: (entry: TimelineEntry) => boolean): number[] {
    return this.#actions(matches)
      .filter((index) => index < until)
      .slice(-1);
  }

  #lastAccesses(word: string | undefined, until: number): number[] {
    const threads = new Set(this.timeline.map(({ thread }) => thread));
    return [...threads]
      .flatMap((thread) => this.#last(until, (entry) => entry.thread === thread && entry.plain && entry.word === word))
      .sort((one, other) => one - other);
  }
}
