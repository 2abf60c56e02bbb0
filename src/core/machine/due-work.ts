import { SOURCE_EXTERNAL } from '../devices/gsi/sources.js';
import { DUE_WORK_AREA as AREA } from '../memory/map.js';
import { CONTROL, MAIN_LOOP } from '../sync/call-sites.js';
import { BQL, IOAPIC } from '../sync/lock-names.js';
import { BqlLoad } from './bql-load.js';
import { Callbacks } from './callbacks.js';
import { ControlSlot } from './control-slot.js';
import type { Machine } from './machine.js';
import { restoreState, savedWords, saveState } from './saved-state.js';
import { Steps } from './steps.js';
import { TIMER_COUNT } from './timer-list.js';

/** Requests to run what is due, and how many of them were answered. */
const SETTLE_WANTED = AREA.word('settleWanted', 'sync');
const SETTLE_DONE = AREA.word('settleDone', 'sync');
/** With a manual clock, 1 while the main loop may hold a callback that is on no list any more. */
const RUNNING = AREA.word('running', 'sync');
/** Threads that may hold a callback which the main loop left for them. */
const DRAINING = AREA.word('draining', 'sync');
/** Control work. */
export const CONTROL_RESET = 1;
export const CONTROL_PAUSE = 2;
export const CONTROL_RESUME = 3;
/** Argument: source (`SOURCE_PIT`, `SOURCE_RTC`) × 2 + level. */
export const CONTROL_LEGACY_INPUT = 4;
/** Ends the machine. */
export const CONTROL_REMOVE = 5;
/** Saves the machine to the transfer area, or takes it from there; nobody else is in the machine. Argument of the latter: virtual time in ns. */
export const CONTROL_SAVE = 6;
export const CONTROL_RESTORE = 7;

/** Ends all steps of a manual clock, those that begin later included: the machine is about to be removed. */
export const CONTROL_END_STEPS = 8;

/**
 * Most callbacks of one machine in one round of the main loop, or in one drain by a vCPU thread. Between two rounds the BQL
 * is free, and other machines and control work have their turn. More than all timers of a machine: what is due at one
 * moment fits.
 */
export const CALLBACKS_PER_SLICE = 64;
/** Rounds of the main loop that an access waits for: callbacks that are due at one moment need fewer. */
const SETTLE_ROUNDS = 256;

/** What became of a step. */
export const STEP_REFUSED = 0;
export const STEP_DONE = 1;
/** It is to be continued: `steps` knows its target, and how many cancellations came before it. */
export const STEP_PENDING = 2;
/** It was cancelled: `steps` knows the time that it reached. */
export const STEP_CANCELLED = 3;

/**
 * What a machine has to do without being accessed: path A, timer callbacks, and path C, control work. The main loop
 * does it under the BQL; with a timer axis that kicks, vCPU threads do their part.
 */
export class DueWork {
  readonly control: ControlSlot;
  readonly load: BqlLoad;
  readonly steps: Steps;
  /** Whether the last `run` left due work for another round, which the caller owes the machine. */
  isUnfinished = false;
  /** Whether the last `run` found a hold of the machine's background work, at whose end the main loop is kicked. */
  isHeldUp = false;
  readonly #callbacks: Callbacks;
  /** Callbacks of one slice. */
  readonly #slice: number;
  /** Whether the last `run` ended the machine. */
  #hasEnded = false;

  constructor(readonly machine: Machine) {
    this.control = new ControlSlot(machine.memory);
    this.load = new BqlLoad(machine.memory, () => machine.readMainCounter());
    this.steps = new Steps(machine);
    this.#callbacks = new Callbacks(machine);
    this.#slice = machine.host.slice ?? CALLBACKS_PER_SLICE;
  }

  // On the main loop

  /**
   * One round of the main loop for this machine: control work, then a slice of the timers that are due.
   * Returns whether control work was done, for the thread that waits for it.
   */
  run(): boolean {
    const { machine } = this;
    const { memory, locks } = machine;
    this.#hasEnded = false;
    this.isUnfinished = false;
    this.isHeldUp = false;
    if (!machine.isAlive) return false;
    const isLoaded = this.load.isUsed;
    if (isLoaded && !this.load.admitsMainLoop()) {
      this.isHeldUp = true;
      return false;
    }
    const wanted = memory.load(SETTLE_WANTED);
    locks.site = MAIN_LOOP;
    locks.acquire(BQL);
    const controlled = this.control.isRequested;
    if (controlled) this.#tryControl();
    if (isLoaded) this.load.runCounterRead();
    let isSettled = true;
    if (machine.hasManualClock) {
      memory.store(RUNNING, 1);
      isSettled = this.#runToTarget(wanted);
      memory.store(RUNNING, 0);
    }
    // A paused clock holds back even what was due before.
    else if (machine.clock.isTicking()) this.#runDue(machine.clock.now());
    locks.release(BQL);
    if (isLoaded && this.load.mainLoopLeaves()) machine.host.kickLoad(machine.slot);
    if (machine.hasManualClock) machine.design.irq.settle?.(machine);
    if (isSettled) this.#answer(wanted);
    // The last touch: after a removal the memory is someone else's.
    if (controlled) this.control.complete();
    return controlled;
  }

  /** Answers the threads that wait until what is due has run: they asked before the last of it ran. */
  #answer(wanted: number): void {
    const { memory } = this.machine;
    if (this.#advance(wanted)) memory.notify(SETTLE_DONE, Number.MAX_SAFE_INTEGER);
  }

  /** Counts requests as answered; false if they were. A freeze may have answered later ones: the count never goes back. */
  #advance(wanted: number): boolean {
    const { memory } = this.machine;
    let done = memory.load(SETTLE_DONE);
    while (((wanted - done) | 0) > 0) {
      const found = memory.compareExchange(SETTLE_DONE, done, wanted);
      if (found === done) return true;
      done = found;
    }
    return false;
  }

  /**
   * The host time at which `run` is due again, or Infinity. What `run` has ended is not looked at: another machine may be
   * there by now, with locks of another kind than those that this thread was turned to.
   */
  nextHostTime(): number {
    const { machine } = this;
    if (this.#hasEnded || !machine.isAlive) return Number.POSITIVE_INFINITY;
    const read = this.load.nextCounterRead();
    if (machine.hasManualClock) return read;
    return Math.min(read, machine.clock.hostTimeOf(machine.timers.earliest()));
  }

  #runDue(now: number): void {
    const count = this.#callbacks.run(now, this.#slice);
    this.isUnfinished = count === this.#slice && this.machine.timers.earliest() <= now;
  }

  /**
   * Moves a manual clock towards where it was asked to go, visiting every deadline on the way in order, for one slice.
   * Returns whether all that was due at some moment of it has run, or waits for a vCPU thread.
   */
  #runToTarget(wanted: number): boolean {
    const { clock, timers } = this.machine;
    const { kicks } = this.#callbacks;
    for (let left = this.#slice; left > 0; ) {
      if (!kicks.isEmpty) return true;
      // A callback that left the queue may not have armed its timer again yet: its thread asks for another round afterwards.
      if (this.isDraining) return false;
      const { goal } = this.steps;
      const earliest = timers.earliest();
      const now = clock.now();
      if (earliest > now) {
        if (goal <= now) return true;
        // In a slice that ends while something is due nobody else would answer.
        if (2 * left <= this.#slice) this.#answer(wanted);
        clock.moveTo(Math.min(earliest, goal));
      }
      const count = earliest <= goal ? this.#callbacks.run(Math.max(earliest, now), left) : 0;
      left -= Math.max(1, count);
    }
    this.isUnfinished = kicks.isEmpty;
    return !kicks.isEmpty || timers.earliest() > clock.now();
  }

  #tryControl(): void {
    const { held } = this.machine.locks;
    try {
      this.#runControl();
    } catch (error) {
      this.machine.breakOff(error, held);
    }
  }

  #runControl(): void {
    const { machine, control } = this;
    machine.host.events.awaitRoom();
    const { argument } = control;
    machine.locks.site = CONTROL;
    machine.cause = SOURCE_EXTERNAL;
    machine.deadline = -1;
    switch (control.work) {
      case CONTROL_RESET:
        this.#reset();
        break;
      case CONTROL_PAUSE:
        machine.clock.pause();
        this.steps.cancel(true);
        break;
      case CONTROL_RESUME:
        machine.clock.resume();
        this.steps.allow();
        break;
      case CONTROL_END_STEPS:
        this.steps.cancel(true);
        break;
      case CONTROL_LEGACY_INPUT:
        this.#inHpet(() => machine.hpet.setLegacyInput(argument >> 1, argument & 1));
        break;
      case CONTROL_SAVE:
        this.#save();
        break;
      case CONTROL_RESTORE:
        this.steps.continueFrom(argument);
        this.#restore();
        break;
      case CONTROL_REMOVE:
        // A callback that a vCPU thread is about to run finds out that it was cancelled.
        this.#inHpet(() => machine.end());
        this.#hasEnded = true;
        break;
    }
    machine.locks.site = MAIN_LOOP;
  }

  #reset(): void {
    const { machine } = this;
    this.steps.cancel();
    this.#inHpet(() => {
      // The controllers first: what the HPET does to its lines then finds them masked.
      const entered = machine.design.irq.enter(machine, IOAPIC);
      machine.ioapic.reset();
      machine.design.irq.leave(machine, IOAPIC, entered);
      machine.pic.reset();
      machine.hpet.reset();
    });
  }

  /** Path C: enters the HPET as the control axis says. */
  #inHpet(work: () => void): void {
    const { machine } = this;
    const { control, irq } = machine.design;
    irq.begin(machine);
    control.enter(machine.locks, machine.design);
    work();
    control.leave(machine.locks, machine.design);
    irq.end(machine);
  }

  #save(): void {
    const { machine } = this;
    // A callback that was left for a vCPU thread is on no list; in the designs with such, no lock nests with the BQL.
    machine.locks.release(BQL);
    for (let slices = 0; slices < TIMER_COUNT && this.drainKicks(); slices++);
    machine.locks.acquire(BQL);
    machine.locks.site = CONTROL;
    const words = savedWords();
    this.#alone((transfer) => {
      saveState(machine, words, transfer);
      machine.thread.shared.setTime(transfer, machine.clock.now());
    });
  }

  #restore(): void {
    const words = savedWords();
    this.#alone((transfer) => restoreState(this.machine, words, transfer));
  }

  /** Path C into all devices at once. */
  #alone(work: (transfer: number) => void): void {
    const { machine } = this;
    const { transfer } = machine.host;
    if (transfer !== undefined) this.#inHpet(() => machine.withInterruptControllers(() => work(transfer)));
  }

  // Requests to the main loop, by the gateway and by vCPU threads

  /** Asks for control work; the caller makes sure that there is one request at a time. */
  requestControl(work: number, argument = 0): void {
    this.control.request(work, argument);
    this.machine.host.kickMainLoop(this.machine.slot);
  }

  /** Makes the main loop look at the machine, after its load was changed. */
  requestRound(): void {
    this.machine.host.kickMainLoop(this.machine.slot);
  }

  /** Blocks new requests, and releases the threads that wait for the main loop: it will not visit the machine again. */
  freeze(): void {
    const { machine } = this;
    machine.freeze();
    this.#advance(machine.memory.load(SETTLE_WANTED));
    this.letGo();
  }

  /** Of a frozen machine: wakes the threads that wait for the main loop, and releases readers of the main counter. */
  letGo(): void {
    const { machine } = this;
    machine.memory.notify(SETTLE_DONE, Number.MAX_SAFE_INTEGER);
    machine.hpet.counter.abandon();
  }

  /**
   * Begins to move a manual clock on by `ns`, and waits for a round of the main loop. Returns STEP_DONE once all that came
   * due has run, STEP_REFUSED if the clock cannot go there.
   */
  step(ns: number): number {
    if (!this.machine.hasManualClock || !this.steps.begin(ns)) return STEP_REFUSED;
    return this.continueStep(this.steps.target, this.steps.cancels);
  }

  /** Waits for another round of a step that is pending. */
  continueStep(target: number, cancels: number): number {
    const { machine, steps } = this;
    this.#settle();
    if (!machine.isAlive) return STEP_DONE;
    if (steps.isCancelled(target, cancels)) return STEP_CANCELLED;
    return machine.clock.now() >= target && !this.#isUnsettled() ? STEP_DONE : STEP_PENDING;
  }

  /** With a manual clock: waits until everything that is due has run. */
  settle(): void {
    const { machine } = this;
    if (!machine.hasManualClock) return;
    machine.design.irq.settle?.(machine);
    if (this.#isUnsettled()) this.#settle();
  }

  /** Looks where a callback can be, in the order in which it gets there, so that none slips by. */
  #isUnsettled(): boolean {
    const { memory, timers, clock } = this.machine;
    return timers.earliest() <= clock.now() || memory.load(RUNNING) !== 0 || this.#isDraining();
  }

  #isDraining(): boolean {
    return !this.#callbacks.kicks.isEmpty || this.isDraining;
  }

  /** Whether a thread may hold a callback that the main loop left for it. */
  get isDraining(): boolean {
    return this.machine.memory.load(DRAINING) !== 0;
  }

  #settle(): void {
    for (let rounds = 0; rounds < SETTLE_ROUNDS; rounds++) {
      this.drainKicks();
      this.machine.design.irq.settle?.(this.machine);
      this.#awaitRound();
      if (!this.machine.isAlive || !this.#isDraining()) return;
    }
  }

  #awaitRound(): void {
    const { machine } = this;
    const { memory } = machine;
    const ticket = memory.add(SETTLE_WANTED, 1) + 1;
    machine.host.kickMainLoop(machine.slot);
    for (let done = memory.load(SETTLE_DONE); ((done - ticket) | 0) < 0; done = memory.load(SETTLE_DONE)) {
      // In a frozen machine nobody answers: threads that asked before are woken, those that ask later see it here.
      if (!machine.isAlive) return;
      machine.host.settles?.(true);
      memory.wait(SETTLE_DONE, done);
      machine.host.settles?.(false);
    }
  }

  /** Runs, on a vCPU thread, a slice of the callbacks that the main loop left for it; returns whether it left any. */
  drainKicks(): boolean {
    const { machine } = this;
    const { kicks } = this.#callbacks;
    if (kicks.isEmpty || !machine.isAlive) return false;
    machine.memory.add(DRAINING, 1);
    this.#callbacks.runKicked(this.#slice);
    machine.memory.add(DRAINING, -1);
    return !kicks.isEmpty;
  }
}
