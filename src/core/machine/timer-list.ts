import { Record } from '../memory/layout.js';
import { TIMER_LIST_AREA as AREA } from '../memory/map.js';
import type { Memory } from '../memory/memory.js';
import { TIMERS } from '../sync/lock-names.js';
import type { Locks } from '../sync/locks.js';

/** Timers 0–23 belong to the HPET, one to the IOAPIC's storm damping. */
export const STORM_TIMER = 24;
export const HPET_TIMERS = 24;
export const TIMER_COUNT = 25;

/** 1 + the number of the timer with the earliest deadline, or 0. */
const HEAD = AREA.word('head', 'timers');

const ENTRY = new Record();
/** Virtual ns, 0 to 2^63. */
const DEADLINE = ENTRY.time('deadline', 'timers');
/** 1 + the number of the next timer, or 0. */
const NEXT = ENTRY.word('next', 'timers');
const ARMED = ENTRY.word('armed', 'timers');
/**
 * Counts arming and cancelling: a callback that was chosen to run finds out whether it is still wanted. No arming has
 * generation 0 (`kicks.ts`).
 */
const GENERATION = ENTRY.word('generation', 'arming');
/** The main loop releases the BQL around the callback. */
const LOCKLESS = ENTRY.word('lockless', 'constant');
const ENTRY_WORDS = ENTRY.size;
const ENTRIES = ENTRY.table(AREA, 'timer', TIMER_COUNT);

/**
 * The timers of one machine in the order of their deadlines (virtual ns); equal deadlines in the order of arming. It
 * has a lock of its own, the last in the order: it may be taken under any other, and none under it.
 */
export class TimerList {
  /** What the last successful `takeDue` took. */
  taken = 0;
  takenGeneration = 0;
  takenDeadline = 0;

  constructor(
    readonly memory: Memory,
    readonly locks: Locks,
    /** Called, without the lock, after an arming that made the earliest deadline earlier. */
    readonly onEarlier: () => void,
  ) {}

  /** Sets the attribute of a timer whose callback takes care of its own locks: it is called without the BQL. */
  setLockless(timer: number, lockless: boolean): void {
    this.memory.set(entry(timer) + LOCKLESS, lockless ? 1 : 0);
  }

  isLockless(timer: number): boolean {
    return this.memory.get(entry(timer) + LOCKLESS) !== 0;
  }

  /** Arms a timer in place of what was armed before. A deadline below 0 counts as 0, before all others. */
  arm(timer: number, deadline: number): void {
    const taken = this.locks.guard(TIMERS);
    const isHead = this.#arm(timer, deadline);
    this.locks.unguard(TIMERS, taken);
    if (isHead) this.onEarlier();
  }

  /** Arms a timer unless it is armed for an earlier deadline. */
  armEarlier(timer: number, deadline: number): void {
    const taken = this.locks.guard(TIMERS);
    const later = !this.memory.get(entry(timer) + ARMED) || this.memory.getTime(entry(timer) + DEADLINE) > deadline;
    const isHead = later && this.#arm(timer, deadline);
    this.locks.unguard(TIMERS, taken);
    if (isHead) this.onEarlier();
  }

  cancel(timer: number): void {
    const taken = this.locks.guard(TIMERS);
    this.#unlink(timer);
    this.#nextGeneration(timer);
    this.locks.unguard(TIMERS, taken);
  }

  /** The earliest deadline, or Infinity. */
  earliest(): number {
    const taken = this.locks.guard(TIMERS);
    const head = this.memory.get(HEAD);
    const deadline = head ? this.memory.getTime(entry(head - 1) + DEADLINE) : Number.POSITIVE_INFINITY;
    this.locks.unguard(TIMERS, taken);
    return deadline;
  }

  /** Virtual ns, or -1 if the timer is not armed. */
  deadlineOf(timer: number): number {
    const taken = this.locks.guard(TIMERS);
    const armed = this.memory.get(entry(timer) + ARMED) !== 0;
    const deadline = armed ? this.memory.getTime(entry(timer) + DEADLINE) : -1;
    this.locks.unguard(TIMERS, taken);
    return deadline;
  }

  /** Calls `visit` with each armed timer, in the order in which they come due. */
  forEachArmed(visit: (timer: number) => void): void {
    const locked = this.locks.guard(TIMERS);
    for (let next = this.memory.get(HEAD); next !== 0; next = this.memory.get(entry(next - 1) + NEXT)) visit(next - 1);
    this.locks.unguard(TIMERS, locked);
  }

  /** Takes the first timer off the list if its deadline is not after `now`; see `taken`. */
  takeDue(now: number): boolean {
    const locked = this.locks.guard(TIMERS);
    const head = this.memory.get(HEAD);
    const due = head !== 0 && this.memory.getTime(entry(head - 1) + DEADLINE) <= now;
    if (due) {
      this.taken = head - 1;
      this.takenDeadline = this.memory.getTime(entry(this.taken) + DEADLINE);
      this.takenGeneration = this.memory.get(entry(this.taken) + GENERATION);
      this.#unlink(this.taken);
    }
    this.locks.unguard(TIMERS, locked);
    return due;
  }

  /**
   * Whether a timer was neither armed again nor cancelled since `generation` was taken. The caller holds the guard of
   * the timer's owner, under which alone it is armed and cancelled.
   */
  isCurrent(timer: number, generation: number): boolean {
    return this.memory.get(entry(timer) + GENERATION) === generation;
  }

  #arm(timer: number, deadline: number): boolean {
    const { memory } = this;
    this.#unlink(timer);
    this.#nextGeneration(timer);
    if (deadline === Number.POSITIVE_INFINITY) return false;
    memory.setTime(entry(timer) + DEADLINE, Math.max(deadline, 0));
    memory.set(entry(timer) + ARMED, 1);
    let link = HEAD;
    for (;;) {
      const next = memory.get(link);
      if (next === 0 || memory.getTime(entry(next - 1) + DEADLINE) > deadline) {
        memory.set(entry(timer) + NEXT, next);
        memory.set(link, timer + 1);
        return link === HEAD;
      }
      link = entry(next - 1) + NEXT;
    }
  }

  #unlink(timer: number): void {
    const { memory } = this;
    if (!memory.get(entry(timer) + ARMED)) return;
    memory.set(entry(timer) + ARMED, 0);
    let link = HEAD;
    while (memory.get(link) !== timer + 1) link = entry(memory.get(link) - 1) + NEXT;
    memory.set(link, memory.get(entry(timer) + NEXT));
  }

  #nextGeneration(timer: number): void {
    this.memory.set(entry(timer) + GENERATION, (this.memory.get(entry(timer) + GENERATION) + 1) | 0 || 1);
  }
}

function entry(timer: number): number {
  return ENTRIES + timer * ENTRY_WORDS;
}
