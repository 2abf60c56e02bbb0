import { DUE_WORK_AREA as AREA } from '../memory/map.js';
import type { Memory } from '../memory/memory.js';
import { MAIN_LOOP } from '../sync/call-sites.js';
import { BQL } from '../sync/lock-names.js';
import { BqlLoad } from './bql-load.js';
import type { Chipset } from './chipset.js';
import { ALIVE, hasManualClock, isAlive } from './configuration.js';
import { ControlPath } from './control-path.js';
import type { ControlSlot } from './control-slot.js';
import type { MmioPath } from './mmio-path.js';
import type { Steps } from './steps.js';
import { TimerPath } from './timer-path.js';

/** Requests to run what is due, and how many of them were answered. */
const SETTLE_WANTED = AREA.word('settleWanted', 'sync');
const SETTLE_DONE = AREA.word('settleDone', 'sync');
/** With a manual clock, 1 while the main loop may hold a callback that is on no list any more. */
const RUNNING = AREA.word('running', 'sync');
/** Threads that may hold a callback which the main loop left for them. */
const DRAINING = AREA.word('draining', 'sync');
/**
 * Most callbacks of one machine in one round of the main loop, or in one drain by a vCPU thread. Between two rounds the BQL
 * is free, and other machines and control work have their turn. More than all timers of a machine: what is due at one
 * moment fits.
 */
export const CALLBACKS_PER_SLICE = 64;
/** Rounds of the main loop that a request waits for: callbacks that are due at one moment need fewer. */
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
  readonly memory: Memory;
  readonly control: ControlSlot;
  readonly steps: Steps;
  readonly load: BqlLoad;
  /** Whether the last `run` left due work for another round, which the caller owes the machine. */
  isUnfinished = false;
  /**
   * Whether the last `run` found what ends by itself and kicks the main loop then: a hold of the machine's background work,
   * or an event ring without room for this machine.
   */
  isHeldUp = false;
  readonly #timerPath: TimerPath;
  readonly #controlPath: ControlPath;
  /** Callbacks of one slice. */
  readonly #slice: number;

  constructor(
    readonly chipset: Chipset,
    mmioPath: MmioPath,
  ) {
    this.memory = chipset.memory;
    this.load = new BqlLoad(chipset.memory, () => mmioPath.readMainCounter());
    this.#timerPath = new TimerPath(chipset, mmioPath);
    this.#controlPath = new ControlPath(chipset, () => this.drainKicks(false));
    this.control = this.#controlPath.slot;
    this.steps = this.#controlPath.steps;
    this.#slice = chipset.host.slice ?? CALLBACKS_PER_SLICE;
  }

  // On the main loop

  /**
   * One round of the main loop for this machine: control work, then a slice of the timers that are due.
   * Returns whether control work was done, for the thread that waits for it. `runsTimers`: without, only control work runs.
   */
  run(runsTimers = true): boolean {
    const { chipset, memory } = this;
    const { locks, clock, design } = chipset;
    this.#controlPath.hasEnded = false;
    this.isUnfinished = false;
    this.isHeldUp = false;
    if (!isAlive(memory)) return false;
    const isLoaded = this.load.isUsed;
    if (isLoaded && !this.load.admitsMainLoop()) {
      this.isHeldUp = true;
      return false;
    }
    const wanted = memory.load(SETTLE_WANTED);
    locks.site = MAIN_LOOP;
    locks.acquire(BQL);
    const controlled = this.#controlPath.run();
    if (isLoaded && runsTimers) this.load.runCounterRead();
    let isSettled = true;
    if (!runsTimers) {
      // The threads that wait for timers are answered all the same: they would wait indefinitely.
    } else if (hasManualClock(memory)) {
      memory.store(RUNNING, 1);
      isSettled = this.#runToTarget(wanted);
      memory.store(RUNNING, 0);
    }
    // A paused clock holds back even what was due before.
    else if (clock.isTicking()) this.#runDue(clock.now());
    this.isHeldUp = this.#controlPath.isDeferred || this.#timerPath.isDeferred;
    locks.release(BQL);
    if (isLoaded && this.load.mainLoopLeaves()) chipset.host.kickLoad(chipset.slot);
    if (hasManualClock(memory)) design.irq.settle?.(chipset);
    // A thread must not wait here for room in the event ring.
    if (isSettled || this.#timerPath.isDeferred) this.#answer(wanted);
    // Threads that asked during this round would wait for another, and a machine that was removed has none.
    if (this.#controlPath.hasEnded) this.#answer(memory.load(SETTLE_WANTED));
    // The last touch: after a removal the memory is someone else's.
    if (controlled) this.control.complete();
    return controlled;
  }

  /** Answers the threads that wait until what is due has run: they asked before the last of it ran. */
  #answer(wanted: number): void {
    const { memory } = this;
    if (this.#advance(wanted)) memory.notify(SETTLE_DONE, Number.MAX_SAFE_INTEGER);
  }

  /** Counts requests as answered; false if they were. A close may have answered later ones: the count never goes back. */
  #advance(wanted: number): boolean {
    const { memory } = this;
    let done = memory.load(SETTLE_DONE);
    while (((wanted - done) | 0) > 0) {
      const found = memory.compareExchange(SETTLE_DONE, done, wanted);
      if (found === done) return true;
      done = found;
    }
    return false;
  }

  /**
   * The host time at which `run` is due again, or Infinity. Reads nothing of a machine that `run` has ended: another
   * machine may be in its place by now, with locks of another kind than those that this thread has selected.
   */
  nextHostTime(): number {
    const { memory } = this;
    const { clock, timers } = this.chipset;
    if (this.#controlPath.hasEnded || !isAlive(memory)) return Number.POSITIVE_INFINITY;
    const read = this.load.nextCounterRead();
    if (hasManualClock(memory)) return read;
    return Math.min(read, clock.hostTimeOf(timers.earliest()));
  }

  #runDue(now: number): void {
    const { kicks } = this.#timerPath;
    const count = this.#timerPath.run(now, this.#slice);
    // Its vCPU thread may have left callbacks for lack of room in the event ring.
    if (count === 0 && !kicks.isEmpty) this.chipset.host.kickVcpu(this.chipset.slot);
    this.isUnfinished = count === this.#slice && this.chipset.timers.earliest() <= now;
  }

  /**
   * Moves a manual clock towards where it was asked to go, visiting every deadline on the way in order, for one slice.
   * Returns whether all that was due at some moment of it has run, or waits for a vCPU thread.
   */
  #runToTarget(wanted: number): boolean {
    const { clock, timers } = this.chipset;
    const { kicks } = this.#timerPath;
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
      const count = earliest <= goal ? this.#timerPath.run(Math.max(earliest, now), left) : 0;
      if (this.#timerPath.isDeferred) return false;
      left -= Math.max(1, count);
    }
    this.isUnfinished = kicks.isEmpty;
    return !kicks.isEmpty || timers.earliest() > clock.now();
  }

  // Requests to the main loop, by the gateway and by vCPU threads

  /** Asks for control work; the caller makes sure that there is one request at a time. */
  requestControl(work: number, argument = 0): void {
    this.control.request(work, argument);
    this.chipset.host.kickMainLoop(this.chipset.slot);
  }

  /** Makes the main loop look at the machine, after its load was changed. */
  requestRound(): void {
    this.chipset.host.kickMainLoop(this.chipset.slot);
  }

  /** Blocks new requests, and wakes the threads that wait for the main loop: it will not visit the machine again. */
  close(): void {
    const { memory } = this;
    memory.store(ALIVE, 0);
    this.#advance(memory.load(SETTLE_WANTED));
    this.wakeWaiters();
  }

  /** Closes a machine in which a thread died, which may have held any lock and have blocked any other thread. */
  freeze(): void {
    this.chipset.locks.loseThread();
    this.close();
  }

  /** Of a closed machine: wakes the threads that wait for its main loop, a lock or the main counter. They recheck. */
  wakeWaiters(): void {
    this.memory.notify(SETTLE_DONE, Number.MAX_SAFE_INTEGER);
    this.chipset.hpet.counter.endWrite();
    this.chipset.locks.wakeWaiters();
  }

  /**
   * Begins to move a manual clock on by `ns`, with `toDeadline` no further than the next deadline, and waits for a round of the
   * main loop. Returns STEP_DONE once all that came due has run, STEP_REFUSED if the clock cannot go there.
   */
  step(ns: number, toDeadline = false): number {
    if (!hasManualClock(this.memory) || !this.steps.begin(ns, toDeadline)) return STEP_REFUSED;
    return this.continueStep(this.steps.target, this.steps.cancels);
  }

  /** Waits for another round of a step that is pending. */
  continueStep(target: number, cancels: number): number {
    const { chipset, memory, steps } = this;
    this.#awaitRound();
    for (let rounds = 1; rounds < SETTLE_ROUNDS && isAlive(memory) && this.#isDraining(); rounds++) {
      if (!this.#hasRoom) break;
      this.#awaitRound();
    }
    if (!isAlive(memory)) return STEP_DONE;
    if (steps.isCancelled(target, cancels)) return STEP_CANCELLED;
    return chipset.clock.now() >= target && !this.#isUnsettled() ? STEP_DONE : STEP_PENDING;
  }

  /**
   * With a manual clock: waits until everything that is due has run. Returns false if something has not, because the event
   * ring has no room for this machine.
   */
  settle(): boolean {
    const { chipset } = this;
    if (!hasManualClock(this.memory)) return true;
    chipset.design.irq.settle?.(chipset);
    for (let rounds = 0; rounds < SETTLE_ROUNDS && isAlive(this.memory) && this.#isUnsettled(); rounds++) {
      if (!this.#hasRoom) return false;
      this.#awaitRound();
    }
    return true;
  }

  /** Whether the event ring has room for what is due. */
  get #hasRoom(): boolean {
    return this.chipset.host.events.hasRoom(this.chipset.slot);
  }

  /** Looks where a callback can be, in the order in which it gets there, so that none slips by. */
  #isUnsettled(): boolean {
    const { memory } = this;
    const { timers, clock } = this.chipset;
    this.steps.next = timers.earliest();
    return this.steps.next <= clock.now() || memory.load(RUNNING) !== 0 || this.#isDraining();
  }

  #isDraining(): boolean {
    return !this.#timerPath.kicks.isEmpty || this.isDraining;
  }

  /** Whether a thread may hold a callback that the main loop left for it. */
  get isDraining(): boolean {
    return this.memory.load(DRAINING) !== 0;
  }

  /** Does its own part of what is due, and waits for a round of the main loop. */
  #awaitRound(): void {
    const { chipset, memory } = this;
    this.drainKicks();
    chipset.design.irq.settle?.(chipset);
    const ticket = memory.add(SETTLE_WANTED, 1) + 1;
    chipset.host.kickMainLoop(chipset.slot);
    for (let done = memory.load(SETTLE_DONE); ((done - ticket) | 0) < 0; done = memory.load(SETTLE_DONE)) {
      // In a closed machine nobody answers: threads that asked before are woken, those that ask later see it here.
      if (!isAlive(memory)) return;
      chipset.host.settles?.(true);
      memory.wait(SETTLE_DONE, done);
      chipset.host.settles?.(false);
    }
  }

  /**
   * Runs, on a vCPU thread, a slice of the callbacks that the main loop left for it; returns whether it left any that can
   * run now. `defers`: see `TimerPath.runKicked`.
   */
  drainKicks(defers = true): boolean {
    const { memory } = this;
    const { kicks } = this.#timerPath;
    if (kicks.isEmpty || !isAlive(memory)) return false;
    memory.add(DRAINING, 1);
    const isUnfinished = this.#timerPath.runKicked(this.#slice, defers);
    memory.add(DRAINING, -1);
    return isUnfinished;
  }
}
