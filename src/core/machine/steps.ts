import { STEPS_AREA as AREA } from '../memory/map.js';
import { TIMERS } from '../sync/lock-names.js';
import type { Chipset } from './chipset.js';
import { hasManualClock } from './configuration.js';

/** Where a manual clock is to go, in virtual ns. */
const TARGET = AREA.time('target', 'timers');
/** The virtual time (ns) at which steps were cancelled last, and how often they were. */
const CANCELLED_AT = AREA.time('cancelledAt', 'timers');
const CANCELS = AREA.word('cancels', 'timers');
/** 1 while every step is cancelled as soon as it begins: the machine is paused, or is being deleted. */
const HELD = AREA.word('held', 'timers');

/** The last time that a clock can reach: beyond it a float64 no longer holds every nanosecond. */
export const MAX_TIME = Number.MAX_SAFE_INTEGER;

/** Steps of a manual clock: where they lead, and which of them were cancelled. */
export class Steps {
  /** Of the last step that `begin` began or `isCancelled` judged: its target, and how many cancellations came before it. */
  target = 0;
  cancels = 0;
  /** The virtual time (ns) that the last cancelled step reached. */
  reached = 0;
  /** The earliest deadline (virtual ns, or Infinity) behind the last step that was completed: `DueWork` sets it. */
  next = Number.POSITIVE_INFINITY;

  constructor(readonly chipset: Chipset) {}

  /**
   * Begins a step of `ns`, with `toDeadline` one that ends at the next deadline if that is earlier; false if the clock would
   * pass MAX_TIME.
   */
  begin(ns: number, toDeadline = false): boolean {
    return this.#locked(() => {
      const { memory, clock, timers } = this.chipset;
      const from = memory.getTime(TARGET);
      this.target = from + ns;
      if (toDeadline) this.target = Math.min(this.target, Math.max(from, timers.earliest()));
      this.cancels = memory.get(CANCELS);
      if (this.target > MAX_TIME) return false;
      memory.setTime(TARGET, this.target);
      if (memory.get(HELD)) this.#cancel(clock.now());
      return true;
    });
  }

  /** Whether a step to `target` that began after `cancels` cancellations was itself cancelled: `reached` says when. */
  isCancelled(target: number, cancels: number): boolean {
    return this.#locked(() => {
      const { memory } = this.chipset;
      this.target = target;
      this.cancels = cancels;
      this.reached = memory.getTime(CANCELLED_AT);
      const later = (memory.get(CANCELS) - cancels) | 0;
      return later > 1 || (later === 1 && this.reached < target);
    });
  }

  /** Where the clock is to go, in virtual ns. */
  get goal(): number {
    return this.#locked(() => this.chipset.memory.getTime(TARGET));
  }

  /** Ends all steps where the clock stands; with `hold`, also those that begin later. On the main loop. */
  cancel(hold = false): void {
    const { memory, clock } = this.chipset;
    if (!hasManualClock(memory)) return;
    const now = clock.now();
    this.#locked(() => {
      if (hold) memory.set(HELD, 1);
      this.#cancel(now);
    });
  }

  #cancel(now: number): void {
    const { memory } = this.chipset;
    if (memory.getTime(TARGET) <= now) return;
    memory.setTime(TARGET, now);
    memory.set(CANCELS, memory.get(CANCELS) + 1);
    memory.setTime(CANCELLED_AT, now);
  }

  /** Steps that begin from now on move the clock again. */
  allow(): void {
    const { memory } = this.chipset;
    if (hasManualClock(memory)) this.#locked(() => memory.set(HELD, 0));
  }

  /** The clock goes on from `time` (virtual ns); nothing is left to do before it. */
  continueFrom(time: number): void {
    this.#locked(() => this.chipset.memory.setTime(TARGET, time));
    this.chipset.clock.continueFrom(time);
  }

  #locked<T>(work: () => T): T {
    const { locks } = this.chipset;
    const entered = locks.guard(TIMERS);
    const result = work();
    locks.unguard(TIMERS, entered);
    return result;
  }
}
