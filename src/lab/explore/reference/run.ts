import type { Change } from './events.js';
import { drive, type MachineModel, type Step, stepsOf } from './machine.js';
import { type Callback, type Group, isFor, NOBODY, newTurn, type Turn, underRouter } from './turn.js';

/**
 * How changes that the HPET decides reach the lines and controllers.
 *
 * - `atomic`: no other thread sees a state in between.
 * - `inline`: each change is a step, and the HPET admits no other thread before the last of them.
 * - `lockless`: the same, with a step for each controller.
 * - `deferred`: one step applies all changes of an access, after the HPET admits others and before the access returns.
 * - `revalidated`: the same, and that step applies what other accesses have decided for these lines as well.
 * - `queued`: changes are applied in the order of their decisions, perhaps after the access has returned.
 */
export type Application = 'atomic' | 'inline' | 'lockless' | 'deferred' | 'revalidated' | 'queued';

/** What distinguishes designs for a guest. */
export interface Rules {
  readonly application: Application;
  /** Callbacks are queued, and run on a vCPU thread. */
  readonly kicks: boolean;
  readonly hasManualClock: boolean;
}

/** One operation of a thread. Its parts are atomic; all of them run under the HPET's protection if it needs that. */
export interface Operation {
  readonly parts: readonly ((run: Run, thread: Turn) => string | undefined)[];
  readonly needsHpet?: boolean;
  /** Control work runs between two callbacks. */
  readonly isControl?: boolean;
  /** A line that an external driver changes. */
  readonly line?: { readonly gsi: number; readonly level: number };
  /** Virtual ns by which a step moves a manual clock. */
  readonly ns?: bigint;
}

/** `first` returns before the operation of `thread` at `operation` begins. */
export interface Precedence {
  readonly first: number;
  readonly thread: number;
  readonly operation: number;
}

export interface ReferenceProgram {
  readonly rules: Rules;
  readonly threads: readonly (readonly Operation[])[];
  readonly precedence: readonly Precedence[];
  /** Control work disarms timers one by one: the next deadline that a step replies with may lie between two of them. */
  readonly disarms: boolean;
}

/**
 * One order of the steps of a program. The threads of the program come first; then the main loop, the thread that runs queued
 * callbacks, and what applies queued changes.
 */
export class Run {
  machine: MachineModel;
  turns: Turn[];
  saved: MachineModel | undefined;
  /** Decided changes that another thread may apply. */
  outstanding: readonly Change[] = [];
  /** The callback that the main loop has chosen, and those that wait for a vCPU thread. */
  chosen: Callback | undefined;
  kicked: readonly Callback[] = [];
  isPaused = false;
  isGone = false;
  /** Where a manual clock is to go. */
  goal: bigint;
  /** Steps are cancelled as they begin. */
  holdsSteps = false;
  #hpet = NOBODY;
  #router = NOBODY;
  #main = NOBODY;

  constructor(
    readonly program: ReferenceProgram,
    machine: MachineModel,
  ) {
    this.machine = machine;
    this.goal = machine.now;
    this.turns = Array.from({ length: program.threads.length + 3 }, newTurn);
  }

  clone(): Run {
    const copy = new Run(this.program, this.machine.clone());
    copy.turns = this.turns.map((own) => ({ ...own, groups: [...own.groups], replies: [...own.replies] }));
    copy.saved = this.saved;
    copy.outstanding = this.outstanding;
    copy.chosen = this.chosen;
    copy.kicked = this.kicked;
    copy.isPaused = this.isPaused;
    copy.isGone = this.isGone;
    copy.goal = this.goal;
    copy.holdsSteps = this.holdsSteps;
    copy.#hpet = this.#hpet;
    copy.#router = this.#router;
    copy.#main = this.#main;
    return copy;
  }

  get #mainLoop(): number {
    return this.program.threads.length;
  }

  get #drain(): number {
    return this.#mainLoop + 1;
  }

  get #queue(): number {
    return this.#mainLoop + 2;
  }

  /** Whether every operation has returned. */
  get isFinished(): boolean {
    return this.program.threads.every((operations, thread) => this.turns[thread].returned === operations.length);
  }

  /** The threads that can make a step. */
  enabled(): number[] {
    return this.turns.flatMap((_, actor) => (this.#isEnabled(actor) ? [actor] : []));
  }

  #isEnabled(actor: number): boolean {
    const [group] = this.turns[actor].groups;
    if (group) return (!group.needsRouter || isFor(this.#router, actor)) && (!group.changes || this.#hpet === NOBODY);
    if (actor === this.#mainLoop) return isFor(this.#main, actor) && this.#mayRunMainLoop();
    if (actor === this.#drain) return this.kicked.length > 0 && this.#hpet === NOBODY && !this.isGone;
    if (actor === this.#queue) return this.outstanding.length > 0 && this.#queues;
    return this.#mayProceed(actor);
  }

  get #queues(): boolean {
    return this.program.rules.application === 'queued';
  }

  #mayRunMainLoop(): boolean {
    if (this.isGone) return false;
    if (this.chosen) return this.#hpet === NOBODY;
    const { now, timers } = this.machine;
    const isDue = timers.earliest !== undefined && timers.earliest <= now;
    if (!this.program.rules.hasManualClock) return isDue && !this.isPaused;
    return this.#isDrained && (isDue || this.goal > now);
  }

  get #isDrained(): boolean {
    return this.kicked.length === 0 && this.turns[this.#drain].groups.length === 0;
  }

  #mayProceed(thread: number): boolean {
    const own = this.turns[thread];
    const operation = this.program.threads[thread][own.operation];
    if (!operation) return own.returned < own.operation && this.#mayReturn(thread);
    if (own.returned < own.operation) return this.#mayReturn(thread);
    if (operation.isControl && (!isFor(this.#main, thread) || this.chosen)) return false;
    if (operation.isControl && this.program.rules.kicks && this.kicked.length > 0) return false;
    if (operation.needsHpet && !isFor(this.#hpet, thread)) return false;
    return this.program.precedence.every(
      ({ first, ...later }) =>
        later.thread !== thread ||
        later.operation !== own.operation ||
        this.turns[first].returned === this.program.threads[first].length,
    );
  }

  /** With a manual clock an operation returns once all that is due has run, and a step once the clock is there. */
  #mayReturn(thread: number): boolean {
    const own = this.turns[thread];
    const { ns, isControl } = this.program.threads[thread][own.returned];
    if (!this.program.rules.hasManualClock || this.isGone || isControl) return true;
    if (ns !== undefined && own.cancelledAt === undefined && this.machine.now < own.target) return false;
    const { earliest } = this.machine.timers;
    const isDue = earliest !== undefined && earliest <= this.machine.now;
    const isIdle = !this.chosen && this.turns[this.#mainLoop].groups.length === 0;
    return !isDue && isIdle && this.#isDrained && (!this.#queues || this.outstanding.length === 0);
  }

  /** Makes one step. */
  step(actor: number): void {
    const own = this.turns[actor];
    if (own.groups.length > 0) this.#apply(actor);
    else if (actor === this.#mainLoop) this.#runMainLoop();
    else if (actor === this.#drain) this.#callBack(actor, this.#takeKicked());
    else if (actor === this.#queue) this.#applyOutstanding();
    else if (own.returned < own.operation) this.#return(actor);
    else this.#proceed(actor);
  }

  #runMainLoop(): void {
    const { machine } = this;
    const callback = this.chosen;
    if (callback) {
      this.chosen = undefined;
      this.#callBack(this.#mainLoop, callback);
      return;
    }
    const timer = machine.timers.take(machine.now);
    if (timer === undefined) {
      const { earliest } = machine.timers;
      machine.now = earliest !== undefined && earliest < this.goal ? earliest : this.goal;
      return;
    }
    const taken = { timer, generation: machine.timers.generations[timer] };
    if (this.program.rules.kicks) {
      const known = this.kicked.findIndex((other) => other.timer === timer);
      this.kicked = known < 0 ? [...this.kicked, taken] : this.kicked.with(known, taken);
    } else if (this.program.rules.application === 'atomic') {
      this.#callBack(this.#mainLoop, taken);
    } else {
      this.chosen = taken;
      this.#main = this.#mainLoop;
    }
  }

  #takeKicked(): Callback {
    const [first, ...others] = this.kicked;
    this.kicked = others;
    return first;
  }

  #callBack(actor: number, { timer, generation }: Callback): void {
    // It was armed again or cancelled meanwhile.
    if (this.machine.timers.generations[timer] === generation) this.machine.expire(timer);
    this.#release(actor);
  }

  #proceed(thread: number): void {
    const own = this.turns[thread];
    const operation = this.program.threads[thread][own.operation];
    const isFirst = own.part === 0;
    if (isFirst && this.isGone && !operation.isControl) {
      own.replies.push('gone');
      own.operation++;
      own.returned++;
      return;
    }
    const isAtomic = this.program.rules.application === 'atomic';
    for (;;) {
      const reply = operation.parts[own.part++](this, own);
      if (reply !== undefined) own.replies.push(reply);
      if (own.part === operation.parts.length) break;
      if (isAtomic) continue;
      if (operation.needsHpet) this.#hpet = thread;
      if (operation.isControl) this.#main = thread;
      return;
    }
    own.part = 0;
    own.operation++;
    if (operation.isControl) this.#main = thread;
    if (operation.line) this.#change(thread, drive('external', operation.line.gsi, operation.line.level));
    this.#release(thread);
  }

  /** An external driver's change. */
  #change(thread: number, steps: readonly Step[]): void {
    const { application } = this.program.rules;
    this.turns[thread].groups =
      application === 'lockless' || application === 'queued' ? underRouter(steps) : [{ steps }];
    if (application === 'atomic') this.#applyAll(thread);
  }

  /** The HPET, if it was entered, has decided: what is left to do for that, and when others may enter. */
  #release(actor: number): void {
    const changes = this.machine.decided.splice(0);
    const own = this.turns[actor];
    const messages = changes.filter(({ kind }) => kind === 'msi');
    this.#hpet = NOBODY;
    switch (this.program.rules.application) {
      case 'atomic':
        own.groups.push(...changes.map((change) => ({ steps: stepsOf(change) })));
        this.#applyAll(actor);
        break;
      case 'inline':
        own.groups.push(...changes.map((change) => ({ steps: stepsOf(change) })));
        if (changes.length > 0) this.#hpet = actor;
        break;
      case 'lockless':
        own.groups.push(...changes.flatMap((change) => underRouter(stepsOf(change))));
        if (changes.length > 0) this.#hpet = actor;
        break;
      case 'deferred':
        if (changes.length > 0) own.groups.push({ steps: changes.flatMap(stepsOf) });
        break;
      case 'revalidated':
        this.outstanding = [...this.outstanding, ...changes.filter(({ kind }) => kind !== 'msi')];
        if (changes.length > 0) own.groups.push({ steps: [], changes });
        break;
      case 'queued':
        this.outstanding = [...this.outstanding, ...changes.filter(({ kind }) => kind !== 'msi')];
        for (const step of messages.flatMap(stepsOf)) this.machine.applyStep(step);
        break;
    }
    if (own.groups.length === 0) this.#end(actor);
    else if (actor === this.#mainLoop) this.#main = actor;
  }

  #applyAll(actor: number): void {
    const own = this.turns[actor];
    for (const { steps } of own.groups.splice(0)) for (const step of steps) this.machine.applyStep(step);
  }

  #apply(actor: number): void {
    const own = this.turns[actor];
    const group = own.groups.shift() as Group;
    if (group.needsRouter) this.#router = actor;
    for (const step of group.steps) this.machine.applyStep(step);
    for (const change of group.changes ?? []) this.#applyLine(change);
    if (group.freesRouter) this.#router = NOBODY;
    if (own.groups.length === 0) this.#end(actor);
  }

  /** Applies a message, or everything that was decided for the line of a change. */
  #applyLine(change: Change): void {
    const isOf = (other: Change) => change.kind !== 'msi' && other.kind !== 'msi' && other.line === change.line;
    const now = change.kind === 'msi' ? [change] : this.outstanding.filter(isOf);
    this.outstanding = this.outstanding.filter((other) => !isOf(other));
    for (const step of now.flatMap(stepsOf)) this.machine.applyStep(step);
  }

  #applyOutstanding(): void {
    const [first, ...others] = this.outstanding;
    this.outstanding = others;
    this.turns[this.#queue].groups = underRouter(stepsOf(first));
  }

  /** The access, callback or piece of control work has nothing left to do. */
  #end(actor: number): void {
    if (this.#hpet === actor) this.#hpet = NOBODY;
    if (this.#main === actor) this.#main = NOBODY;
    if (actor >= this.#mainLoop || this.program.rules.hasManualClock) return;
    this.#return(actor);
  }

  #return(thread: number): void {
    const own = this.turns[thread];
    const { ns } = this.program.threads[thread][own.returned++];
    if (ns === undefined) return;
    own.replies.push(own.cancelledAt === undefined ? this.#stepReply : `cancelled at ${own.cancelledAt}`);
  }

  /** A step replies with the next deadline, or 0. */
  get #stepReply(): string {
    return this.program.disarms ? 'ok' : `ok ${this.machine.timers.earliest ?? 0}`;
  }

  // Control work

  pause(): void {
    if (this.program.rules.hasManualClock) {
      this.cancelSteps();
      this.holdsSteps = true;
    } else this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    this.holdsSteps = false;
  }

  save(): void {
    this.saved = this.machine.clone();
  }

  /** Goes back to a saved state, at a time. */
  restore(saved: MachineModel, now: bigint): void {
    const { generations } = this.machine.timers;
    this.machine.restore(saved);
    // A callback that was chosen before is no longer wanted.
    this.machine.timers.generations = generations.map((generation) => generation + 1);
    this.machine.now = now;
    this.#endSteps();
    // What is queued for the router is no part of a saved machine.
    if (!this.#queues) this.outstanding = [];
  }

  remove(): void {
    const { timers } = this.machine;
    for (const { timer } of timers.armed) timers.cancel(timer);
    this.isGone = true;
  }

  // Steps of a manual clock

  beginStep(own: Turn, ns: bigint): void {
    this.goal += ns;
    own.target = this.goal;
    own.cancelledAt = undefined;
    if (this.holdsSteps) this.cancelSteps();
  }

  /** Ends all steps where the clock stands. */
  cancelSteps(): void {
    if (this.goal > this.machine.now) this.#endSteps();
  }

  #endSteps(): void {
    const { now } = this.machine;
    this.goal = now;
    for (const own of this.turns) if (own.target > now) own.cancelledAt ??= now;
  }
}
