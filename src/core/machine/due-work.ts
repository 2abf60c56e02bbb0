import { SOURCE_EXTERNAL } from '../devices/gsi/sources.js';
import { DUE_WORK_AREA as AREA } from '../memory/map.js';
import { CONTROL, MAIN_LOOP, TIMER_CALLBACK } from '../sync/call-sites.js';
import { BQL, IOAPIC, TIMERS } from '../sync/lock-names.js';
import { BqlLoad } from './bql-load.js';
import { ControlSlot } from './control-slot.js';
import { CAUSE_DELAYED } from './events.js';
import { Kicks } from './kicks.js';
import type { Machine } from './machine.js';
import { restoreState, savedWords, saveState } from './saved-state.js';
import { STORM_TIMER } from './timer-list.js';

/** Requests to run what is due, and how many of them were answered. */
const SETTLE_WANTED = AREA.word('settleWanted', 'sync');
const SETTLE_DONE = AREA.word('settleDone', 'sync');
/** With a manual clock, 1 while the main loop may hold a callback that is on no list any more. */
const RUNNING = AREA.word('running', 'sync');
/** Threads that may hold a callback which the main loop left for them. */
const DRAINING = AREA.word('draining', 'sync');
/** Where a manual clock is to go, in virtual ns from 0. */
const STEP_TARGET = AREA.time('stepTarget', 'timers');

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

/** Where a manual clock stops, in virtual ns: beyond it a float64 no longer holds every nanosecond. */
export const MAX_TIME = Number.MAX_SAFE_INTEGER;

/**
 * What a machine has to do without being accessed: path A, timer callbacks, and path C, control work. The main loop
 * does it under the BQL; with a timer axis that kicks, vCPU threads do their part.
 */
export class DueWork {
  readonly control: ControlSlot;
  readonly load: BqlLoad;
  readonly #kicks: Kicks;
  /** Whether the last `run` ended the machine. */
  #hasEnded = false;

  constructor(readonly machine: Machine) {
    this.control = new ControlSlot(machine.memory);
    this.load = new BqlLoad(machine.memory, () => machine.readMainCounter());
    this.#kicks = new Kicks(machine.memory);
  }

  // On the main loop

  /**
   * One round of the main loop for this machine: control work, background work, then all timers that are due. Returns
   * whether control work was done, for whoever waits for it.
   */
  run(): boolean {
    const { machine } = this;
    const { memory, locks } = machine;
    this.#hasEnded = false;
    if (!machine.isAlive) return false;
    const wanted = memory.load(SETTLE_WANTED);
    locks.site = MAIN_LOOP;
    locks.acquire(BQL);
    const controlled = this.control.isRequested;
    if (controlled) this.#tryControl();
    this.load.run();
    if (machine.hasManualClock) {
      memory.store(RUNNING, 1);
      this.#runToTarget();
      memory.store(RUNNING, 0);
    }
    // A paused clock holds back even what was due before.
    else if (machine.clock.isTicking()) this.#runTimers(machine.clock.now());
    locks.release(BQL);
    if (memory.load(SETTLE_DONE) !== wanted) {
      memory.store(SETTLE_DONE, wanted);
      memory.notify(SETTLE_DONE, Number.MAX_SAFE_INTEGER);
    }
    // The last touch: after a removal the memory is someone else's.
    if (controlled) this.control.complete();
    return controlled;
  }

  /**
   * The host time at which `run` is due again, or Infinity. What `run` has ended is not looked at: another machine may be
   * there by now, with locks of another kind than those that this thread was turned to.
   */
  nextHostTime(): number {
    const { machine } = this;
    if (this.#hasEnded || !machine.isAlive) return Number.POSITIVE_INFINITY;
    const load = this.load.nextHostTime();
    if (machine.hasManualClock) return load;
    return Math.min(load, machine.clock.hostTimeOf(machine.timers.earliest()));
  }

  /** Callbacks run with the timer list unlocked; its head is read again after each. */
  #runTimers(now: number): void {
    const { machine } = this;
    const { timers, locks } = machine;
    while (timers.takeDue(now)) {
      machine.host.events.awaitRoom();
      machine.deadline = timers.takenDeadline;
      locks.site = TIMER_CALLBACK;
      const timer = timers.taken;
      const lockless = timers.isLockless(timer);
      if (lockless) locks.release(BQL);
      machine.thread.statistics.callbackBegins(timer, machine.deadline);
      const { held } = locks;
      try {
        if (timer === STORM_TIMER) this.#serviceDelayed(timers.takenGeneration);
        else this.#callBack(timer, timers.takenGeneration);
      } catch (error) {
        machine.breakOff(error, held);
      }
      machine.thread.statistics.callbackEnds();
      if (lockless) this.#regainBql();
      locks.site = MAIN_LOOP;
    }
  }

  #regainBql(): void {
    const { locks, thread } = this.machine;
    thread.statistics.reacquiring();
    locks.acquire(BQL);
    thread.statistics.reacquired();
  }

  #callBack(timer: number, generation: number): void {
    const { machine } = this;
    const { timer: axis, irq } = machine.design;
    if (axis.kicks) {
      this.#kicks.mark(timer, generation, machine.deadline);
      if (!machine.hasManualClock) machine.host.kickVcpu(machine.slot);
      return;
    }
    irq.begin(machine);
    axis.enter(machine.locks);
    machine.enterDevice();
    this.#expire(timer, generation);
    machine.leaveDevice();
    axis.leave(machine.locks);
    irq.end(machine);
  }

  #expire(timer: number, generation: number): void {
    this.machine.cause = timer;
    this.machine.thread.statistics.expired(this.machine.deadline);
    if (this.machine.isWanted(timer, generation)) this.machine.hpet.expire(timer);
  }

  #serviceDelayed(generation: number): void {
    const { machine } = this;
    machine.cause = CAUSE_DELAYED;
    const entered = machine.design.irq.enter(machine, IOAPIC);
    if (machine.isWanted(STORM_TIMER, generation)) machine.ioapic.serviceDelayed();
    machine.design.irq.leave(machine, IOAPIC, entered);
  }

  /** Moves a manual clock to where it was asked to go, visiting every deadline on the way in order. */
  #runToTarget(): void {
    const { clock, timers } = this.machine;
    while (this.#kicks.isEmpty) {
      const target = this.#stepTarget(0);
      const earliest = timers.earliest();
      const now = clock.now();
      if (earliest <= target) {
        if (earliest > now) clock.moveTo(earliest);
        this.#runTimers(Math.max(earliest, now));
      } else if (target > now) {
        clock.moveTo(target);
      } else {
        return;
      }
    }
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
        break;
      case CONTROL_RESUME:
        machine.clock.resume();
        break;
      case CONTROL_LEGACY_INPUT:
        this.#inHpet(() => machine.hpet.setLegacyInput(argument >> 1, argument & 1));
        break;
      case CONTROL_SAVE:
        this.#save();
        break;
      case CONTROL_RESTORE:
        this.#continueFrom(argument);
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
    this.#inHpet(() => machine.hpet.reset());
    const entered = machine.design.irq.enter(machine, IOAPIC);
    machine.ioapic.reset();
    machine.design.irq.leave(machine, IOAPIC, entered);
    machine.pic.reset();
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
    this.drainKicks();
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

  /** Sets virtual time; a manual clock has nothing left to do before it. */
  #continueFrom(time: number): void {
    const { memory, locks, clock } = this.machine;
    const entered = locks.guard(TIMERS);
    memory.setTime(STEP_TARGET, time);
    locks.unguard(TIMERS, entered);
    clock.continueFrom(time);
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

  /** Lets nobody in any more, and lets go whoever waits for the main loop, which will not come. */
  freeze(): void {
    const { machine } = this;
    machine.freeze();
    machine.memory.store(SETTLE_DONE, machine.memory.load(SETTLE_WANTED));
    this.letGo();
  }

  /** Of a frozen machine: wakes whoever waits for the main loop, and lets readers of the main counter go. */
  letGo(): void {
    const { machine } = this;
    machine.memory.notify(SETTLE_DONE, Number.MAX_SAFE_INTEGER);
    machine.hpet.counter.abandon();
  }

  /** Moves a manual clock on by `ns`, and waits until all that came due has run. False if it would pass MAX_TIME. */
  step(ns: number): boolean {
    if (!this.machine.hasManualClock || this.#stepTarget(ns) > MAX_TIME) return false;
    this.#settle();
    return true;
  }

  /** With a manual clock: waits until everything that is due has run. */
  settle(): void {
    if (this.machine.hasManualClock && this.#isUnsettled()) this.#settle();
  }

  /** Looks where a callback can be, in the order in which it gets there, so that none slips by. */
  #isUnsettled(): boolean {
    const { memory, timers, clock } = this.machine;
    return timers.earliest() <= clock.now() || memory.load(RUNNING) !== 0 || this.#isDraining();
  }

  #isDraining(): boolean {
    return !this.#kicks.isEmpty || this.isDraining;
  }

  /** Whether a thread may hold a callback that the main loop left for it. */
  get isDraining(): boolean {
    return this.machine.memory.load(DRAINING) !== 0;
  }

  #settle(): void {
    const { machine } = this;
    const { memory } = machine;
    do {
      this.drainKicks();
      const ticket = memory.add(SETTLE_WANTED, 1) + 1;
      machine.host.kickMainLoop(machine.slot);
      for (let done = memory.load(SETTLE_DONE); ((done - ticket) | 0) < 0; done = memory.load(SETTLE_DONE)) {
        // In a frozen machine nobody answers: whoever asked before is woken, whoever comes later sees it here.
        if (!machine.isAlive) return;
        memory.wait(SETTLE_DONE, done);
      }
    } while (machine.isAlive && this.#isDraining());
  }

  /** Runs, on a vCPU thread and like path B, the callbacks that the main loop left for it. */
  drainKicks(): void {
    const { machine } = this;
    if (this.#kicks.isEmpty || !machine.isAlive) return;
    machine.memory.add(DRAINING, 1);
    while (!this.#kicks.isEmpty && machine.isAlive) {
      machine.host.events.awaitRoom();
      machine.locks.site = TIMER_CALLBACK;
      try {
        this.#runKicked();
      } catch (error) {
        machine.breakOff(error, 0);
      }
    }
    machine.memory.add(DRAINING, -1);
  }

  #runKicked(): void {
    const { machine } = this;
    machine.enterHpet();
    if (this.#kicks.take()) {
      machine.deadline = this.#kicks.takenDeadline;
      machine.thread.statistics.callbackBegins(this.#kicks.taken, machine.deadline);
      this.#expire(this.#kicks.taken, this.#kicks.takenGeneration);
      machine.thread.statistics.callbackEnds();
    }
    machine.leaveHpet();
  }

  /** Adds to the target of a manual clock, unless that would pass MAX_TIME; returns the sum. */
  #stepTarget(ns: number): number {
    const { memory, locks } = this.machine;
    const entered = locks.guard(TIMERS);
    const target = memory.getTime(STEP_TARGET) + ns;
    if (target <= MAX_TIME && ns) memory.setTime(STEP_TARGET, target);
    locks.unguard(TIMERS, entered);
    return target;
  }
}
