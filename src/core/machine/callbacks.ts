import { MAIN_LOOP, TIMER_CALLBACK } from '../sync/call-sites.js';
import { BQL, IOAPIC } from '../sync/lock-names.js';
import { CAUSE_DELAYED } from './events.js';
import { Kicks } from './kicks.js';
import type { Machine } from './machine.js';
import { STORM_TIMER } from './timer-list.js';

/** Timer callbacks, path A: on the main loop under the BQL, and on vCPU threads where the timer axis kicks. */
export class Callbacks {
  readonly kicks: Kicks;

  constructor(readonly machine: Machine) {
    this.kicks = new Kicks(machine.memory);
  }

  /**
   * Runs the callbacks of timers that are due at `now`, at most `limit`; returns how many. They run with the timer list
   * unlocked; its head is read again after each.
   */
  run(now: number, limit: number): number {
    const { machine } = this;
    const { timers, locks } = machine;
    let count = 0;
    for (; count < limit && timers.takeDue(now); count++) {
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
    return count;
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
      this.kicks.mark(timer, generation, machine.deadline);
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

  /** Runs, on a vCPU thread and like path B, at most `limit` of the callbacks that the main loop left for one. */
  runKicked(limit: number): void {
    const { machine, kicks } = this;
    for (let count = 0; count < limit && !kicks.isEmpty && machine.isAlive; count++) {
      machine.host.events.awaitRoom();
      machine.locks.site = TIMER_CALLBACK;
      try {
        this.#runKicked();
      } catch (error) {
        machine.breakOff(error, 0);
      }
    }
  }

  #runKicked(): void {
    const { machine, kicks } = this;
    machine.enterHpet();
    if (kicks.take()) {
      machine.deadline = kicks.takenDeadline;
      machine.thread.statistics.callbackBegins(kicks.taken, machine.deadline);
      this.#expire(kicks.taken, kicks.takenGeneration);
      machine.thread.statistics.callbackEnds();
    }
    machine.leaveHpet();
  }
}
