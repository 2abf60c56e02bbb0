import type { Design } from '../../core/locking/axes.js';
import { Elision } from './elision.js';
import { makeSystem, oraclesFor } from './explore.js';
import type { ExploreOptions } from './explorer.js';
import { type Finding, worstFirst } from './finding.js';
import { type Fixture, setUp } from './fixture.js';
import type { HistoryNode } from './history.js';
import type { Oracle } from './oracle.js';
import type { Scenario } from './scenario.js';
import { type Points, TICK, TIMEOUT } from './system.js';
import { describeAction, describeStuck, type TimelineEntry } from './timeline.js';

/** The replay cannot follow its schedule: the schedule was recorded with other code, or is misspelt. */
export class ReplayError extends Error {
  override name = 'ReplayError';
}

export interface Replayed {
  readonly threads: readonly string[];
  readonly timeline: readonly TimelineEntry[];
  readonly findings: readonly Finding[];
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
  const findings = new Map<string, Finding>();
  const timeline: TimelineEntry[] = [];
  // Oracles run after each operation and so also see intermediate states of a transition: a race with a write may first
  // show as a race with the read before it. Report both, so that the requested finding is among them.
  const report = (finding: Finding) => {
    findings.set(`${finding.kind} ${finding.summary}`, finding);
  };
  const system = makeSystem(fixture, points, { ...options, merge: false }, (thread) => {
    for (const oracle of oracles) oracle.atStepEnd?.(system, thread, report);
  });
  const { threads } = system;
  if (withTimeline) {
    system.execution.observer = (thread, node, value) => {
      const racy = system.execution.isPoint(node.kind, node.address);
      timeline.push({ ...describeAction(fixture.names, system.state, thread, threads[thread].id, node, value), racy });
    };
  }
  system.execution.onNewAction = (thread, node) => {
    for (const oracle of oracles) oracle.beforeAction?.(system, thread, node, report);
  };
  system.start();
  for (const [step, transition] of schedule.entries()) {
    if (!system.transitions().includes(transition)) {
      throw new ReplayError(`operation ${step + 1} of the schedule is not possible`);
    }
    if (transition !== TICK) {
      for (const oracle of oracles) oracle.beforeTransition?.(system, transition & ~TIMEOUT, report);
    }
    system.perform(transition);
    if (transition === TICK) continue;
    for (const oracle of oracles) oracle.afterTransition?.(system, transition & ~TIMEOUT, report);
  }
  const isAtEnd = system.transitions().length === 0;
  if (isAtEnd) for (const oracle of oracles) oracle.atRest?.(system, report);
  for (const thread of system.stuck()) {
    timeline.push(describeStuck(fixture.names, system.state, thread, threads[thread].id, system.nodes[thread]));
  }
  return { threads: threads.map(({ name }) => name), timeline, findings: worstFirst([...findings.values()]), isAtEnd };
}
