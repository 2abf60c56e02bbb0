import { MAIN_LOOP, TIMER_CALLBACK } from '../sync/call-sites.js';
import { BQL, IOAPIC } from '../sync/lock-names.js';
import type { Chipset } from './chipset.js';
import { hasManualClock, isAlive, SKIP_GENERATION_CHECK } from './configuration.js';
import { CAUSE_DELAYED } from './events.js';
import { Kicks } from './kicks.js';
import type { MmioPath } from './mmio-path.js';
import { STORM_TIMER } from './timer-list.js';

/** Path A: timer callbacks, on the main loop under the BQL, or on vCPU threads where the timer axis kicks. */
export class TimerPath {
  readonly kicks: Kicks;
  /** Whether the last `run` left callbacks because the event ring has no room for this machine. */
  isDeferred = false;

  constructor(
    readonly chipset: Chipset,
    readonly mmio: MmioPath,
  ) {
    this.kicks = new Kicks(chipset.memory);
  }

  /**
   * Runs the callbacks of timers that are due at `now`, at most `limit`; returns how many. They run with the timer list
   * unlocked; its head is read again after each.
   */
  run(now: number, limit: number): number {
    const { chipset } = this;
    const { timers, locks, thread } = chipset;
    let count = 0;
    this.isDeferred = false;
    for (; count < limit && this.#isAdmitted(now) && timers.takeDue(now); count++) {
      chipset.deadline = timers.takenDeadline;
      locks.site = TIMER_CALLBACK;
      const timer = timers.taken;
      const lockless = timers.isLockless(timer);
      if (lockless) locks.release(BQL);
      thread.statistics.callbackBegins(timer, chipset.deadline);
      const { held } = locks;
      try {
        if (timer === STORM_TIMER) this.#serviceDelayed(timers.takenGeneration);
        else this.#callBack(timer, timers.takenGeneration);
      } catch (error) {
        chipset.breakOff(error, held);
      }
      thread.statistics.callbackEnds();
      if (lockless) this.#regainBql();
      locks.site = MAIN_LOOP;
    }
    return count;
  }

  /** Whether the event ring has room for a callback; if not, and one is due at `now`, it is deferred. */
  #isAdmitted(now: number): boolean {
    const { host, slot, timers } = this.chipset;
    if (host.events.hasRoom(slot)) return true;
    this.isDeferred = timers.earliest() <= now && !host.events.admits(slot);
    return !this.isDeferred;
  }

  #regainBql(): void {
    const { locks, thread } = this.chipset;
    thread.statistics.reacquiring();
    locks.acquire(BQL);
    thread.statistics.reacquired();
  }

  #callBack(timer: number, generation: number): void {
    const { chipset } = this;
    const { timer: axis, irq } = chipset.design;
    if (axis.kicks) {
      this.kicks.mark(timer, generation, chipset.deadline);
      if (!hasManualClock(chipset.memory)) chipset.host.kickVcpu(chipset.slot);
      return;
    }
    irq.begin(chipset);
    axis.enter(chipset.locks);
    chipset.enterDevice();
    this.#expire(timer, generation);
    chipset.leaveDevice();
    axis.leave(chipset.locks);
    irq.end(chipset);
  }

  #expire(timer: number, generation: number): void {
    const { chipset } = this;
    chipset.cause = timer;
    chipset.thread.statistics.expired(chipset.deadline);
    if (this.#isWanted(timer, generation)) chipset.hpet.expire(timer);
  }

  #serviceDelayed(generation: number): void {
    const { chipset } = this;
    chipset.cause = CAUSE_DELAYED;
    const entered = chipset.enter(IOAPIC);
    if (this.#isWanted(STORM_TIMER, generation)) chipset.ioapic.serviceDelayed();
    chipset.leave(IOAPIC, entered);
  }

  /** Whether the timer was neither armed again nor cancelled; the caller holds the guard of the timer's owner. */
  #isWanted(timer: number, generation: number): boolean {
    const { memory, timers } = this.chipset;
    return memory.get(SKIP_GENERATION_CHECK) !== 0 || timers.isCurrent(timer, generation);
  }

  /**
   * Runs, on a vCPU thread and like path B, at most `limit` of the callbacks that the main loop left for one; returns
   * whether it left any that can run now. `defers`: leaves them where the event ring has no room for this machine.
   */
  runKicked(limit: number, defers: boolean): boolean {
    const { chipset, kicks } = this;
    const { host, slot } = chipset;
    for (let count = 0; count < limit && !kicks.isEmpty && isAlive(chipset.memory); count++) {
      if (defers && !host.events.admits(slot)) return false;
      chipset.locks.site = TIMER_CALLBACK;
      try {
        this.#runKicked();
      } catch (error) {
        chipset.breakOff(error, 0);
      }
    }
    return !kicks.isEmpty;
  }

  #runKicked(): void {
    const { chipset, kicks, mmio } = this;
    mmio.enterHpet();
    if (kicks.take()) {
      chipset.deadline = kicks.takenDeadline;
      chipset.thread.statistics.callbackBegins(kicks.taken, chipset.deadline);
      this.#expire(kicks.taken, kicks.takenGeneration);
      chipset.thread.statistics.callbackEnds();
    }
    mmio.leaveHpet();
  }
}
