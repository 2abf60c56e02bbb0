import { U64 } from '../../memory/u64.js';
import { QUIRKS } from '../quirks.js';
import { catchUp, lastPaced, MINIMUM_PERIOD_NS } from './catch-up.js';
import type { InterruptOutput } from './interrupt-output.js';
import type { MainCounter } from './main-counter.js';
import type { HpetPorts } from './ports.js';
import * as R from './registers.js';
import * as S from './state.js';

/**
 * Most expiries of one timer that one access settles. A 32-bit one-shot timer expires at a wrap and then at its match, and
 * a periodic one twice at a match (quirk `periodic-double`). `catchUp` passes over all earlier periods in one division.
 */
const MAX_EXPIRIES = 2;

/** The longest way to a match, in ticks, that a clock of 2^62 ns can go; a deadline that far ahead fits in 63 bits. */
const REACHABLE_TICKS = 2 ** 62 / R.TICK_NS;

/**
 * When the main counter will meet each timer's comparator, and what follows (IA-PC HPET 1.0a, 2.3.9). Nothing is
 * compared tick by tick: while the HPET is on, a timer has at most one deadline.
 */
export class Comparators {
  readonly #now = new U64();
  readonly #target = new U64();
  readonly #period = new U64();
  readonly #deadline = new U64();
  readonly #scratch = new U64();

  constructor(
    readonly state: S.HpetState,
    readonly counter: MainCounter,
    readonly ports: HpetPorts,
    readonly output: InterruptOutput,
  ) {}

  /**
   * Arms the timer as its registers say, whether it is enabled or not; the HPET is on. `time` is that of the access, in
   * virtual ns, where it was looked at already. `written`: this is a write of the comparator itself.
   */
  schedule(timer: number, time = this.ports.now(), written = false): void {
    const { state } = this;
    const now = this.#now;
    const target = this.#target;
    this.counter.valueAt(now, time);
    state.load(timer, S.T_COMPARATOR, target);
    let flags = state.get(timer, S.T_FLAGS) & ~(S.WRAP_FLAG | S.AHEAD_FLAG);
    state.set(timer, S.T_FLAGS, flags);
    const expired = (flags & S.EXPIRED_FLAG) !== 0;
    if (state.is32Bit(timer)) {
      if (expired && !this.#firesAgain() && state.hasQuirk(QUIRKS['one-shot-32-once'])) {
        this.ports.cancel(timer);
        return;
      }
      if (written && this.#hasJustPassed(target, now)) {
        this.#fireAtOnce(timer, time);
        return;
      }
      this.#nextMatch32(target, now, expired && !this.#firesAgain());
    } else if (!this.#isReachable(target, now, expired)) {
      this.ports.cancel(timer);
      return;
    }
    state.store(timer, S.T_TARGET, target);
    if (this.#firesAtWrap(timer) && target.hi !== now.hi && target.lo !== 0) {
      flags |= S.WRAP_FLAG;
      target.lo = 0;
    }
    this.counter.timeOf(target, this.#deadline);
    if (state.isPeriodic(timer) && state.hasQuirk(QUIRKS['min-1us'])) this.#stretch(timer);
    const isAhead = this.#arm(timer) > time;
    state.set(timer, S.T_FLAGS, isAhead ? flags | S.AHEAD_FLAG : flags);
    if (!isAhead && state.isUnobserved(timer)) this.expire(timer, time);
  }

  /** Whether a 64-bit match is to be armed: not one that has expired, nor one that is only met after a wrap of 2^64. */
  #isReachable(target: U64, now: U64, expired: boolean): boolean {
    if (expired && !now.isBelow(target)) return this.#firesAgain();
    if (target.isBelow(now)) {
      if (this.state.hasQuirk(QUIRKS['past-fires'])) return true;
    } else if (this.state.hasQuirk(QUIRKS['huge-comparator'])) {
      return true;
    }
    return this.#scratch.copy(target).subtract(now).toNumber() < REACHABLE_TICKS;
  }

  /** The counter value at which its low half next equals the comparator; `after`: not the present one. */
  #nextMatch32(target: U64, now: U64, after: boolean): void {
    target.hi = now.hi;
    if (target.isBelow(now) || (after && target.equals(now))) target.addParts(0, 1);
  }

  #firesAtWrap(timer: number): boolean {
    const { state } = this;
    return state.is32Bit(timer) && !state.isPeriodic(timer) && state.hasQuirk(QUIRKS['wrap-fires-32']);
  }

  /** Quirk `past-fires-32`: whether a comparator lies 1 to 2^31 − 1 ticks behind the counter. */
  #hasJustPassed(target: U64, now: U64): boolean {
    const behind = (now.lo - target.lo) | 0;
    return behind > 0 && this.state.hasQuirk(QUIRKS['past-fires-32']);
  }

  /** Arms the timer for the present; the next access to it expires it first, if its callback is late. */
  #fireAtOnce(timer: number, time: number): void {
    const { state } = this;
    const target = this.#target;
    const behind = (this.#now.lo - target.lo) | 0;
    state.store(timer, S.T_TARGET, target.copy(this.#now).subtractParts(behind, 0));
    state.set(timer, S.T_FLAGS, state.get(timer, S.T_FLAGS) | S.AHEAD_FLAG);
    this.#deadline.setNumber(time);
    this.#arm(timer);
    if (state.isUnobserved(timer)) this.expire(timer, time);
  }

  #firesAgain(): boolean {
    return this.state.hasQuirk(QUIRKS['expired-fires-again']);
  }

  cancel(timer: number): void {
    this.state.set(timer, S.T_FLAGS, this.state.get(timer, S.T_FLAGS) & ~S.AHEAD_FLAG);
    this.ports.cancel(timer);
  }

  /** The armed deadline of a timer has come; `time` (virtual ns) is that of the access, if one settles the timer. */
  expire(timer: number, time?: number): void {
    const { state } = this;
    const flags = state.get(timer, S.T_FLAGS);
    if (this.#loadPeriod(timer)) {
      let now = time ?? this.ports.now();
      if (flags & S.AHEAD_FLAG && state.isUnobserved(timer)) {
        now = this.#lastExpiry(timer, now);
        state.store(timer, S.T_LAST_DEADLINE, this.#scratch.setNumber(now));
      }
      this.#advance(timer, now);
    } else if (flags & S.WRAP_FLAG) {
      state.set(timer, S.T_FLAGS, flags & ~S.WRAP_FLAG);
      this.counter.timeOf(state.load(timer, S.T_TARGET, this.#target), this.#deadline);
      this.#arm(timer);
    } else {
      this.#expireOneShot(timer, flags | S.EXPIRED_FLAG, time);
    }
    this.output.raise(timer);
  }

  /** Loads the period; whether the comparator advances by it. */
  #loadPeriod(timer: number): boolean {
    const { state } = this;
    return state.isPeriodic(timer) && !state.load(timer, S.T_PERIOD, this.#period).isZero();
  }

  /** The comparator's value now. That of an unobserved timer is computed, and stays as it is. */
  read(timer: number, result: U64): void {
    const { state } = this;
    state.load(timer, S.T_COMPARATOR, result);
    if (!state.isUnobserved(timer) || !(state.get(timer, S.T_FLAGS) & S.AHEAD_FLAG)) return;
    const time = this.ports.now();
    if (!this.#isDue(timer, time) || !this.#loadPeriod(timer)) return;
    this.counter.valueAt(this.#now, this.#lastExpiry(timer, time));
    state.load(timer, S.T_TARGET, result);
    catchUp(result, this.#now, this.#period, true, this.#scratch);
    if (state.is32Bit(timer)) result.hi = 0;
  }

  /** Makes an unobserved timer what its callbacks would have made of it by now. */
  settleUnobserved(timer: number): void {
    if (this.state.isUnobserved(timer)) this.settle(timer);
  }

  #isDue(timer: number, time: number): boolean {
    return this.state.load(timer, S.T_LAST_DEADLINE, this.#deadline).toSignedCeiling() <= time;
  }

  /**
   * When the last callback by `time` would have run, had this periodic timer been armed: at each match, or, under quirk
   * `min-1us`, a microsecond after the callback before as long as the next match is nearer than that.
   */
  #lastExpiry(timer: number, time: number): number {
    const { state } = this;
    if (!state.hasQuirk(QUIRKS['min-1us'])) return time;
    const first = state.load(timer, S.T_LAST_DEADLINE, this.#deadline).toSigned();
    this.counter.timeOf(state.load(timer, S.T_TARGET, this.#target), this.#deadline);
    return lastPaced(first, this.#deadline.toSigned(), this.#period.toNumber() * R.TICK_NS, time);
  }

  /** 2.3.9.2.1: a 32-bit timer matches again each time that the low half of the counter equals its comparator. */
  #expireOneShot(timer: number, flags: number, time?: number): void {
    const { state } = this;
    if (!state.is32Bit(timer) || state.hasQuirk(QUIRKS['one-shot-32-once'])) {
      state.set(timer, S.T_FLAGS, flags & ~S.AHEAD_FLAG);
      return;
    }
    const target = state.load(timer, S.T_TARGET, this.#target);
    this.counter.valueAt(this.#now, time ?? this.ports.now());
    this.#nextMatch32(target, this.#now, true);
    state.store(timer, S.T_TARGET, target);
    state.set(timer, S.T_FLAGS, flags | S.AHEAD_FLAG);
    this.counter.timeOf(target, this.#deadline);
    this.#arm(timer);
  }

  /**
   * Expires a timer whose deadline came before the write that is about to arm or cancel it, and whose callback did not
   * run yet: otherwise a late main loop would lose a match that the counter did meet. An access reads the clock once, so
   * that no period is too short for it: `time` is what it read, in virtual ns. Returns that time; undefined as long as
   * the access did not have to read the clock.
   */
  settle(timer: number, time?: number): number | undefined {
    const { state } = this;
    let now = time;
    for (let expiries = 0; expiries < MAX_EXPIRIES && state.get(timer, S.T_FLAGS) & S.AHEAD_FLAG; expiries++) {
      now ??= this.ports.now();
      if (!this.#isDue(timer, now)) break;
      this.expire(timer, now);
    }
    return now;
  }

  /** Moves a periodic comparator on, and arms the timer for it. */
  #advance(timer: number, time: number): void {
    const { state } = this;
    const now = this.#now;
    const target = state.load(timer, S.T_TARGET, this.#target);
    const double = state.hasQuirk(QUIRKS['periodic-double']);
    this.counter.valueAt(now, time);
    catchUp(target, now, this.#period, !double, this.#scratch);
    state.store(timer, S.T_TARGET, target);
    state.set(timer, S.T_COMPARATOR, target.lo);
    state.set(timer, S.T_COMPARATOR + 1, state.is32Bit(timer) ? 0 : target.hi);
    this.counter.timeOf(target, this.#deadline);
    if (state.hasQuirk(QUIRKS['min-1us']) || (double && target.equals(now))) this.#stretch(timer);
    // A comparator ahead with a deadline behind (quirk `huge-comparator`) would expire indefinitely while no time passes.
    if (this.#deadline.toSigned() <= time - R.TICK_NS) this.#deadline.setNumber(time + MINIMUM_PERIOD_NS);
    if (this.#arm(timer) > time) state.set(timer, S.T_FLAGS, state.get(timer, S.T_FLAGS) | S.AHEAD_FLAG);
  }

  /** Puts off a deadline that follows the last one by less than a microsecond, compared as unsigned numbers. */
  #stretch(timer: number): void {
    const last = this.state.load(timer, S.T_LAST_DEADLINE, this.#scratch);
    const { lo, hi } = last;
    const distance = last.copy(this.#deadline).subtractParts(lo, hi);
    if (distance.hi === 0 && distance.lo < MINIMUM_PERIOD_NS) {
      this.#deadline.set(lo, hi).addParts(MINIMUM_PERIOD_NS, 0);
    }
  }

  /** Arms the timer for the deadline just computed, unless nobody observes it, and returns that in virtual ns. */
  #arm(timer: number): number {
    const deadline = this.#deadline.toSignedCeiling();
    // A halted counter meets nothing. Only a cancelled callback that runs all the same finds the HPET off.
    if (!this.state.isOn()) return deadline;
    this.state.store(timer, S.T_LAST_DEADLINE, this.#deadline);
    if (this.state.isUnobserved(timer)) this.ports.cancel(timer);
    else this.ports.arm(timer, deadline);
    return deadline;
  }
}
