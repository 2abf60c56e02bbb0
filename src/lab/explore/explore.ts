import type { Design } from '../../core/locking/axes.js';
import { PRESETS } from '../../core/locking/presets.js';
import { Elision, RESTART } from './elision.js';
import { Execution, NotExplorable } from './execution.js';
import { type Exploration, type ExploreOptions, Explorer } from './explorer.js';
import type { Finding } from './finding.js';
import { type Fixture, setUp } from './fixture.js';
import { History } from './history.js';
import { BlockingLocks, HistoryMerging } from './history-merging.js';
import type { Oracle } from './oracle.js';
import { LINE_ORACLES } from './oracles/lines.js';
import { LOCK_ORACLES } from './oracles/locks.js';
import { MAIN_LOOP_ORACLES } from './oracles/main-loop.js';
import { collect, linearizability, OUTCOME_ORACLES, type Outcomes } from './oracles/outcomes.js';
import { END_ORACLES, referenceOracle } from './oracles/programs.js';
import { RACE_ORACLES } from './oracles/races.js';
import type { Scenario } from './scenario.js';
import { SharedState } from './shared-state.js';
import { type Points, System, TICK, TIMEOUT } from './system.js';

/** Explores one scenario under one locking design, with all oracles. */
export function explore(scenario: Scenario, design: Design, options: ExploreOptions = {}): Exploration {
  const fixture = setUp(scenario, design, options.merge ?? true, options.machine);
  const oracles = oraclesFor(fixture, design);
  if (options.watch) oracles.push(options.watch(fixture.names));
  const restore = options.seedBug?.();
  try {
    const found = exploreUpTo(boundOf(scenario, design, options), fixture, options, oracles);
    const isWhole = options.maxStates === undefined && !options.isEnough;
    if (isWhole && found.ends === 0 && found.findings.length === 0) {
      throw new NotExplorable(`${scenario.name} has no end, so nothing was judged`);
    }
    return found;
  } finally {
    restore?.();
  }
}

/** Explores without a bound on preemptions where that has few states, and with the bound elsewhere. */
function exploreUpTo(
  bound: number | undefined,
  fixture: Fixture,
  options: ExploreOptions,
  oracles: readonly Oracle[],
): Exploration {
  const sharing = sharingOf(fixture, options);
  const { preemptions, maxStates = Number.POSITIVE_INFINITY, isEnough } = options;
  const { unboundedStates = fixture.scenario.unboundedStates } = options;
  const bounded = () => exploreFixture(fixture, sharing, { ...options, preemptions: bound }, oracles);
  if (bound === undefined || preemptions !== undefined || unboundedStates === undefined) return bounded();
  // Of a scenario, which has more states than a program, only what the oracles need.
  const { reduction = fixture.scenario.program === undefined } = options;
  const unbounded = { ...options, reduction, preemptions: undefined, maxStates: Math.min(unboundedStates, maxStates) };
  const whole = exploreFixture(fixture, sharing, unbounded, oracles);
  if (whole.complete || (isEnough && whole.findings.some(isEnough))) return whole;
  const found = bounded();
  const isNew = ({ kind, summary }: Finding) =>
    !whole.findings.some((other) => other.kind === kind && other.summary === summary);
  return { ...found, findings: [...whole.findings, ...found.findings.filter(isNew)] };
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
  const fixture = setUp(scenario, design);
  const options: ExploreOptions = { mutex: 'blocking', preemptions: boundOf(scenario, design, {}) };
  exploreFixture(fixture, sharingOf(fixture, options), options, [collect(fixture, outcomes)]);
  knownOutcomes.set(scenario, outcomes);
  return outcomes;
}

const EVERYTHING_SHARED: Points = { isSchedulingPoint: () => true, isVisible: () => true, note() {} };

function sharingOf(fixture: Fixture, options: ExploreOptions): Points {
  return options.reduce === false ? EVERYTHING_SHARED : elisionFor(fixture, options);
}

function exploreFixture(
  fixture: Fixture,
  sharing: Points,
  options: ExploreOptions,
  oracles: readonly Oracle[],
): Exploration {
  for (;;) {
    let explorer: Explorer | undefined;
    const system = makeSystem(fixture, sharing, options, (thread) => explorer?.stepEnded(thread));
    explorer = new Explorer(system, oracles, options);
    try {
      const { findings, ...rest } = explorer.run();
      const schedules = findings.map((finding) => ({
        ...finding,
        path: everyOperation(
          makeSystem(fixture, sharing, options, () => {}),
          finding.path,
        ),
        ...(options.points && { points: options.points }),
      }));
      return { ...rest, findings: schedules };
    } catch (thrown) {
      if (thrown !== RESTART) throw thrown;
    }
  }
}

/**
 * Of a generated program, which is small, finds most shared words with few preemptions and without oracles: the exploration
 * proper seldom restarts then.
 */
function elisionFor(fixture: Fixture, options: ExploreOptions): Elision {
  if (!fixture.scenario.program) return new Elision(fixture.map.words, true);
  const elision = new Elision(fixture.map.words, false);
  for (let before = -1; before < elision.count; ) {
    before = elision.count;
    const system = makeSystem(fixture, elision, options, () => {});
    new Explorer(system, [], { maxStates: SCOUTED_STATES, preemptions: 1 }).run();
  }
  elision.restarts = true;
  return elision;
}

const SCOUTED_STATES = 2000;

/** The same path with every operation a transition of its own, as in a replay. */
function everyOperation(system: System, path: readonly number[]): number[] {
  const all: number[] = [];
  let operations = 0;
  const add = (transition: number) => {
    for (; operations < system.operations; operations++) all.push(transition);
  };
  system.start((thread) => add(thread));
  for (const transition of path) {
    system.perform(transition);
    // A timeout is one operation. The operations after it, up to the next scheduling point, are the thread's own.
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

/** A system at the start of a scenario. */
export function makeSystem(
  fixture: Fixture,
  sharing: Points,
  { merge = true, ...options }: ExploreOptions,
  onStepEnd: (thread: number) => void,
): System {
  const mutex = fixture.scenario.mutex ?? options.mutex;
  const words = new SharedState(fixture.initial);
  const execution = new Execution(words, { times: fixture.scenario.times, now: 0 });
  const { memory } = options;
  if (options.points) execution.points = new Set(options.points);
  if (memory) execution.makeMemory = () => memory(execution);
  const threads = fixture.threads.map((thread) => ({ ...thread, history: new History() }));
  const { machine } = fixture.names;
  return new System(
    threads,
    words,
    execution,
    sharing,
    merge ? new HistoryMerging(machine) : undefined,
    mutex === 'blocking' ? new BlockingLocks(machine) : undefined,
    onStepEnd,
  );
}

const ORACLES = [RACE_ORACLES, LOCK_ORACLES, MAIN_LOOP_ORACLES, LINE_ORACLES, OUTCOME_ORACLES, END_ORACLES].flat();

export function oraclesFor(fixture: Fixture, design: Design): Oracle[] {
  const oracles = ORACLES.map((make) => make(fixture, design));
  const { scenario } = fixture;
  if (scenario.program) return [...oracles, referenceOracle(fixture, design)];
  return [...oracles, linearizability(fixture, allowedOutcomes(scenario))];
}
