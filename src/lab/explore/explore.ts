import type { Design } from '../../core/locking/axes.js';
import { PRESETS } from '../../core/locking/presets.js';
import { Execution } from './execution.js';
import { type Exploration, type ExploreOptions, Explorer } from './explorer.js';
import { History } from './history.js';
import { type Laboratory, laboratory } from './laboratory.js';
import { BlockingLocks, Merging } from './merging.js';
import type { Oracle } from './oracle.js';
import { bqlRegained } from './oracles/bql-regained.js';
import { counterMonotone } from './oracles/counter-monotone.js';
import { deadlines } from './oracles/deadlines.js';
import { deadlock } from './oracles/deadlock.js';
import { deferredOnce } from './oracles/deferred-once.js';
import { failure } from './oracles/failure.js';
import { gatewayWaits } from './oracles/gateway-waits.js';
import { guard } from './oracles/guard.js';
import { lines } from './oracles/lines.js';
import { lockAssertion } from './oracles/lock-assertion.js';
import { locklessPaths } from './oracles/lockless-paths.js';
import { locksReleased } from './oracles/locks-released.js';
import { lostUpdate } from './oracles/lost-update.js';
import { collect, meaning, type Outcomes } from './oracles/meaning.js';
import { order } from './oracles/order.js';
import { race } from './oracles/race.js';
import { replies } from './oracles/replies.js';
import { section } from './oracles/section.js';
import { snapshotSilent } from './oracles/snapshot-silent.js';
import { stale } from './oracles/stale.js';
import { unfired } from './oracles/unfired.js';
import { unheldRelease } from './oracles/unheld-release.js';
import type { Scenario } from './scenario.js';
import { BEGIN_ANEW, Sharing } from './sharing.js';
import { type Points, System, TICK, TIMEOUT } from './system.js';
import { Words } from './words.js';

/** Explores one scenario under one locking design, with all oracles. */
export function explore(scenario: Scenario, design: Design, options: ExploreOptions = {}): Exploration {
  const lab = laboratory(scenario, design, options.merge ?? true, options.machine);
  const oracles = oraclesFor(lab, design);
  if (options.watch) oracles.push(options.watch(lab.names));
  const restore = options.seedBug?.();
  try {
    return exploreLaboratory(lab, { ...options, preemptions: boundOf(scenario, design, options) }, oracles);
  } finally {
    restore?.();
  }
}

/** Most preemptions; undefined for any number. */
export function boundOf(scenario: Scenario, design: Design, options: ExploreOptions): number | undefined {
  const { preemptions = scenario.preemptions } = options;
  if (typeof preemptions === 'function') return preemptions(design);
  return preemptions === Number.POSITIVE_INFINITY ? undefined : preemptions;
}

/** The outcomes of each scenario under the reference design, `bql`, where each operation is atomic. */
const knownOutcomes = new WeakMap<Scenario, Outcomes>();

export function allowedOutcomes(scenario: Scenario): Outcomes {
  const known = knownOutcomes.get(scenario);
  if (known) return known;
  const outcomes: Outcomes = new Map();
  const design = PRESETS.bql;
  const lab = laboratory(scenario, design);
  exploreLaboratory(lab, { mutex: 'blocking', preemptions: boundOf(scenario, design, {}) }, [collect(lab, outcomes)]);
  knownOutcomes.set(scenario, outcomes);
  return outcomes;
}

const EVERYTHING_SHARED: Points = { isSchedulingPoint: () => true, isVisible: () => true, note() {} };

function exploreLaboratory(lab: Laboratory, options: ExploreOptions, oracles: readonly Oracle[]): Exploration {
  const sharing = options.reduce === false ? EVERYTHING_SHARED : new Sharing(lab.map.words, true);
  for (;;) {
    let explorer: Explorer | undefined;
    const system = makeSystem(lab, sharing, options, (thread) => explorer?.stepEnded(thread));
    explorer = new Explorer(system, oracles, options);
    try {
      const { findings, ...rest } = explorer.run();
      const schedules = findings.map((finding) => ({
        ...finding,
        path: everyOperation(
          makeSystem(lab, sharing, options, () => {}),
          finding.path,
        ),
        ...(options.points && { points: options.points }),
      }));
      return { ...rest, findings: schedules };
    } catch (thrown) {
      if (thrown !== BEGIN_ANEW) throw thrown;
    }
  }
}

/** The same way with every operation a transition of its own, as a replay makes them. */
function everyOperation(system: System, path: readonly number[]): number[] {
  const all: number[] = [];
  let operations = 0;
  const add = (transition: number) => {
    for (; operations < system.operations; operations++) all.push(transition);
  };
  system.start((thread) => add(thread));
  for (const transition of path) {
    system.perform(transition);
    // A timeout is one operation; what follows it up to the next scheduling point are the thread's own.
    if (transition !== TICK && transition & TIMEOUT) {
      all.push(transition);
      operations++;
      add(transition & ~TIMEOUT);
    } else {
      add(transition);
    }
  }
  return all;
}

/** A system at the start of a laboratory's scenario. */
export function makeSystem(
  lab: Laboratory,
  sharing: Points,
  { merge = true, ...options }: ExploreOptions,
  onStepEnd: (thread: number) => void,
): System {
  const mutex = lab.scenario.mutex ?? options.mutex;
  const words = new Words(lab.initial);
  const execution = new Execution(words, { times: lab.scenario.times, now: 0 });
  const { memory } = options;
  if (options.points) execution.points = new Set(options.points);
  if (memory) execution.makeMemory = () => memory(execution);
  const threads = lab.threads.map((thread) => ({ ...thread, history: new History() }));
  const { machine } = lab.names;
  return new System(
    threads,
    words,
    execution,
    sharing,
    merge ? new Merging(machine) : undefined,
    mutex === 'blocking' ? new BlockingLocks(machine) : undefined,
    onStepEnd,
  );
}

export function oraclesFor(lab: Laboratory, design: Design): Oracle[] {
  const { names } = lab;
  return [
    deadlock(names),
    gatewayWaits(names),
    replies(lab),
    race(names),
    guard(lab, design),
    order(names, design),
    unheldRelease(names),
    bqlRegained(lab),
    locklessPaths(lab, design),
    locksReleased(names),
    failure,
    lockAssertion(names),
    lines(lab),
    deadlines(lab),
    unfired(lab),
    deferredOnce(lab, design),
    counterMonotone(lab),
    lostUpdate(names),
    snapshotSilent(lab),
    section(lab),
    stale(lab),
    meaning(lab, allowedOutcomes(lab.scenario)),
  ];
}
