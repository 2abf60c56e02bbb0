import type { MachineOptions } from '../../core/machine/machine.js';
import type { Memory } from '../../core/memory/memory.js';
import type { Execution } from './execution.js';
import type { Counterexample, Finding } from './finding.js';
import { Frontier } from './frontier.js';
import type { Names } from './names.js';
import type { Oracle } from './oracle.js';
import { type System, TICK, TIMEOUT } from './system.js';
import { Visited } from './visited.js';

export interface ExploreOptions {
  /** Most states to visit; beyond, the result is not complete. */
  readonly maxStates?: number;
  /** Most times that a thread which could go on is interrupted by another, or Infinity; without it, as the scenario says. */
  readonly preemptions?: number;
  /** False keeps histories apart that leave a thread in the same local state. */
  readonly merge?: boolean;
  /** False makes every operation a scheduling point, shared or not. */
  readonly reduce?: boolean;
  /** A test double of the seam, with a seeded bug. */
  readonly memory?: (execution: Execution) => Memory;
  /** `futex`: the mutex with its every operation. `blocking`: what it was shown to be. */
  readonly mutex?: 'futex' | 'blocking';
  /** Collects what the exploration comes across. */
  readonly watch?: (names: Names) => Oracle;
  /** Seeds a bug in the production code once the machine is prepared; returns a function that restores the code. */
  readonly seedBug?: () => () => void;
  /** Data words, by absolute address, an access to which is a scheduling point. */
  readonly points?: readonly number[];
  /** False: what has races is not explored again for the harm that they do. */
  readonly harm?: boolean;
  /** Differences from the scenario's machine. */
  readonly machine?: Partial<MachineOptions>;
  /** Whether to stop at a finding: one of this kind was all that was asked for. */
  readonly isEnough?: (finding: Finding) => boolean;
}

export interface Exploration {
  readonly states: number;
  readonly transitions: number;
  /** Every state that can be reached was visited. */
  readonly complete: boolean;
  readonly findings: readonly Counterexample[];
  /** States in which no thread could go on and none was stuck. */
  readonly ends: number;
}

const NO_THREAD = -1;

/** Visits every state of a system, breadth first, so that the first way to a finding is a shortest one. */
export class Explorer {
  readonly #visited = new Visited();
  readonly #found = new Map<string, Counterexample>();
  #transitions = 0;
  #ends = 0;
  #complete = true;
  #stopped = false;
  #current = 0;
  #transition = NO_THREAD;

  constructor(
    readonly system: System,
    readonly oracles: readonly Oracle[],
    readonly options: ExploreOptions = {},
  ) {}

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
    return {
      states: this.#visited.count,
      transitions: this.#transitions,
      complete: this.#complete,
      findings: [...this.#found.values()],
      ends: this.#ends,
    };
  }

  /** Reports what a thread's step end shows; the system calls it in the middle of a transition. */
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
    // Who waits is not interrupted, though the wait may time out.
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

  #make(transition: number, last: number, preemptions: number, into: Frontier): void {
    const { system } = this;
    this.#transition = transition;
    this.#transitions++;
    if (transition !== TICK) {
      for (const oracle of this.oracles) oracle.beforeTransition?.(system, transition & ~TIMEOUT, this.#report);
    }
    system.perform(transition);
    if (transition !== TICK) this.#watch(transition & ~TIMEOUT);
    if (this.options.maxStates !== undefined && this.#visited.count >= this.options.maxStates) {
      this.#complete = false;
      return;
    }
    const hash = system.hashState();
    if (this.options.preemptions !== undefined) system.hashSchedule(last, preemptions);
    const state = this.#visited.add(hash, this.#current, transition);
    if (state >= 0) into.push(system, state, last, preemptions);
  }

  #watch(thread: number): void {
    for (const oracle of this.oracles) oracle.afterTransition?.(this.system, thread, this.#report);
  }

  #rest(): void {
    if (this.system.stuck().length === 0) this.#ends++;
    for (const oracle of this.oracles) oracle.atRest?.(this.system, this.#report);
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
