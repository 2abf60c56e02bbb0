import type { MachineOptions } from '../../core/machine/machine.js';
import type { Memory } from '../../core/memory/memory.js';
import type { Execution } from './execution.js';
import type { Counterexample, Finding } from './finding.js';
import type { Footprint } from './footprint.js';
import { Frontier } from './frontier.js';
import type { Names } from './names.js';
import type { Oracle } from './oracle.js';
import { StateGraph } from './progress.js';
import { bitOf, SleepSets } from './sleep-sets.js';
import { type System, TICK, TIMEOUT } from './system.js';
import { Visited } from './visited.js';

export interface ExploreOptions {
  /** Bound on visited states. A result that hits the bound is incomplete. */
  readonly maxStates?: number;
  /** Bound on preemptions of runnable threads, or Infinity. Default: set by the scenario. */
  readonly preemptions?: number;
  /** See `Scenario`. Default: set by the scenario. */
  readonly unboundedStates?: number;
  /** False turns history merging off. */
  readonly merge?: boolean;
  /** False turns elision of unshared words off: every operation is a scheduling point. */
  readonly reduce?: boolean;
  /** True skips transitions that sleep: another order of independent ones is explored. Not with a bound on preemptions. */
  readonly reduction?: boolean;
  /** A test double of the seam, with a seeded bug. */
  readonly memory?: (execution: Execution) => Memory;
  /** `futex`: explore each operation of the mutex. `blocking`: acquisition is one blocking step. */
  readonly mutex?: 'futex' | 'blocking';
  /** Makes an additional oracle, for example one that collects coverage. */
  readonly watch?: (names: Names) => Oracle;
  /** Seeds a bug in the production code once the machine is prepared; returns a function that restores the code. */
  readonly seedBug?: () => () => void;
  /** Absolute addresses of data words at which an access is a scheduling point. */
  readonly points?: readonly number[];
  /** False: no second pass over racy words. */
  readonly secondPass?: boolean;
  /** Differences from the scenario's machine. */
  readonly machine?: Partial<MachineOptions>;
  /** Whether to stop at this finding. */
  readonly isEnough?: (finding: Finding) => boolean;
}

export interface Exploration {
  readonly states: number;
  readonly transitions: number;
  /** Every reachable state was visited. */
  readonly complete: boolean;
  /** The bound on preemptions that it kept to, if any. */
  readonly bound?: number | undefined;
  readonly findings: readonly Counterexample[];
  /** Final states without a stuck thread. */
  readonly ends: number;
}

const NO_THREAD = -1;

/** Visits every state of a system breadth first, so the first path to a finding is a shortest one. */
export class Explorer {
  readonly #visited = new Visited();
  readonly #found = new Map<string, Counterexample>();
  #transitions = 0;
  #ends = 0;
  #complete = true;
  #stopped = false;
  #current = 0;
  #transition = NO_THREAD;
  readonly #sleep: SleepSets | undefined;
  /** All transitions, where none is left out. */
  readonly #graph: StateGraph | undefined;

  constructor(
    readonly system: System,
    readonly oracles: readonly Oracle[],
    readonly options: ExploreOptions = {},
  ) {
    const isBounded = options.preemptions !== undefined;
    this.#sleep = options.reduction && !isBounded ? new SleepSets() : undefined;
    this.#graph = isBounded || this.#sleep ? undefined : new StateGraph();
  }

  run(): Exploration {
    const { system } = this;
    system.execution.onNewAction = (thread, node) => {
      for (const oracle of this.oracles) oracle.beforeAction?.(system, thread, node, this.#report);
    };
    let level = new Frontier();
    let next = new Frontier();
    system.start();
    for (let thread = 0; thread < system.threads.length; thread++) this.#watch(thread);
    this.#visited.add(system.hashState(), -1, 0);
    level.push(system, 0, NO_THREAD, 0);
    while (level.count > 0 && !this.#stopped) {
      next.clear();
      level.forEach(system, (state, last, preemptions, load) => this.#visit(state, last, preemptions, load, next));
      [level, next] = [next, level];
    }
    this.#judgeProgress();
    return {
      states: this.#visited.count,
      transitions: this.#transitions,
      complete: this.#complete,
      bound: this.options.preemptions,
      findings: [...this.#found.values()],
      ends: this.#ends,
    };
  }

  /** Runs the oracles at the end of a thread's step. The system calls it during a transition. */
  stepEnded(thread: number): void {
    for (const oracle of this.oracles) oracle.atStepEnd?.(this.system, thread, this.#report);
  }

  #visit(state: number, last: number, preemptions: number, load: () => void, into: Frontier): void {
    if (this.#stopped) return;
    const transitions = this.system.transitions();
    this.#current = state;
    this.#transition = NO_THREAD;
    if (transitions.length === 0) {
      this.#rest();
      return;
    }
    if (this.#sleep) {
      this.#expand(this.#sleep, transitions, load, into);
      return;
    }
    // A waiting thread is not preempted, even if its wait may time out.
    const lastEnabled = transitions.includes(last);
    for (let i = 0; i < transitions.length; i++) {
      const transition = transitions[i];
      const thread = transition === TICK ? last : transition & ~TIMEOUT;
      const spent = preemptions + (lastEnabled && thread !== last ? 1 : 0);
      if (this.options.preemptions !== undefined && spent > this.options.preemptions) {
        this.#complete = false;
        continue;
      }
      if (i > 0) load();
      this.#make(transition, thread, spent, into);
    }
  }

  /** Makes the transitions that do not sleep. Each of them sleeps in the states that the later, independent ones reach. */
  #expand(sleeping: SleepSets, transitions: readonly number[], load: () => void, into: Frontier): void {
    const { system } = this;
    const state = this.#current;
    sleeping.expanding(state);
    const footprints = transitions.map((transition) => sleeping.footprintOf(system, transition));
    let sleep = sleeping.of(state);
    let isLoaded = true;
    transitions.forEach((transition, index) => {
      if (sleep & bitOf(transition)) return;
      if (!isLoaded) load();
      isLoaded = false;
      const own = footprints[index];
      this.#perform(transition, own);
      // Only now is the footprint known.
      const passed = transitions.reduce((bits, other, at) => {
        const isAsleep = (sleep & bitOf(other)) !== 0 && !own.dependsOn(footprints[at]);
        return isAsleep ? bits | bitOf(other) : bits;
      }, 0);
      this.#reach(transition, transition, 0, passed, into);
      sleep |= bitOf(transition);
    });
  }

  #make(transition: number, last: number, preemptions: number, into: Frontier): void {
    this.#perform(transition);
    this.#reach(transition, last, preemptions, 0, into);
  }

  #perform(transition: number, footprint?: Footprint): void {
    const { system } = this;
    this.#transition = transition;
    this.#transitions++;
    if (transition !== TICK) {
      for (const oracle of this.oracles) oracle.beforeTransition?.(system, transition & ~TIMEOUT, this.#report);
    }
    system.execution.footprint = footprint;
    system.perform(transition);
    if (transition === TICK) return;
    footprint?.ended(system.nodes[transition & ~TIMEOUT]);
    this.#watch(transition & ~TIMEOUT);
  }

  /** The system is in a state that a transition led to. */
  #reach(transition: number, last: number, preemptions: number, sleep: number, into: Frontier): void {
    const { system } = this;
    if (this.options.maxStates !== undefined && this.#visited.count >= this.options.maxStates) {
      this.#complete = false;
      return;
    }
    const hash = system.hashState();
    if (this.options.preemptions !== undefined) system.hashSchedule(last, preemptions);
    const added = this.#visited.add(hash, this.#current, transition);
    const state = added < 0 ? -1 - added : added;
    this.#graph?.add(this.#current, state);
    if (added >= 0) {
      this.#sleep?.begin(state, sleep);
      into.push(system, state, last, preemptions);
    } else if (this.#sleep?.again(state, sleep)) {
      into.push(system, state, last, preemptions);
    }
  }

  #watch(thread: number): void {
    for (const oracle of this.oracles) oracle.afterTransition?.(this.system, thread, this.#report);
  }

  #rest(): void {
    this.#graph?.rests.push(this.#current);
    if (this.system.stuck().length === 0) this.#ends++;
    for (const oracle of this.oracles) oracle.atRest?.(this.system, this.#report);
  }

  /** From every state of a complete exploration, some order of the threads leads to a rest. */
  #judgeProgress(): void {
    if (!this.#graph || !this.#complete) return;
    const state = this.#graph.firstWithoutRest(this.#visited.count);
    if (state === undefined) return;
    this.#current = state;
    this.#transition = NO_THREAD;
    this.#report({ kind: 'livelock', summary: 'the threads take steps forever: no end can be reached' });
  }

  readonly #report = (finding: Finding): void => {
    const key = `${finding.kind}|${finding.key ?? finding.summary}`;
    if (this.#found.has(key)) return;
    const path = this.#visited.count === 0 ? [] : this.#visited.pathTo(this.#current);
    if (this.#transition !== NO_THREAD) path.push(this.#transition);
    this.#found.set(key, { ...finding, path });
    if (!this.options.isEnough?.(finding)) return;
    this.#stopped = true;
    this.#complete = false;
  };
}
