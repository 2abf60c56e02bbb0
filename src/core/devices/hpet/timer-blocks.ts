import { U64 } from '../../memory/u64.js';
import { QUIRKS } from '../quirks.js';
import type { Comparators } from './comparators.js';
import type { InterruptOutput } from './interrupt-output.js';
import * as R from './registers.js';
import * as S from './state.js';

/** What a write reaches of a 64-bit field: a half, both halves, or all of a field that is 32 bits wide now. */
const LOW = 0;
const HIGH = 1;
const BOTH = 2;
const NARROW = 3;

/** The registers of the timers, IA-PC HPET 1.0a sections 2.3.8 to 2.3.10. Offsets are in a timer's block. */
export class TimerBlocks {
  readonly #register = new U64();

  constructor(
    readonly state: S.HpetState,
    readonly comparators: Comparators,
    readonly output: InterruptOutput,
  ) {}

  /** Registers and hidden state as after power-on; but for what a quirk keeps. */
  powerOn(timer: number): void {
    const { state } = this;
    const fsb = state.memory.get(S.FSB_CAPABLE) ? R.FSB_INT_DEL_CAP : 0;
    for (let word = 0; word < S.TIMER_WORDS; word++) if (!this.#survives(word)) state.set(timer, word, 0);
    state.set(timer, S.T_CONFIGURATION, R.PER_INT_CAP | R.SIZE_CAP | fsb);
    state.store(timer, S.T_COMPARATOR, this.#register.set(0xffff_ffff, 0xffff_ffff));
  }

  /** Whether a reset leaves a word of a timer as it is. */
  #survives(word: number): boolean {
    switch (word) {
      case S.T_FSB_DATA:
      case S.T_FSB_ADDRESS:
        return this.state.hasQuirk(QUIRKS['reset-keeps-fsb']);
      case S.T_LAST_DEADLINE:
      case S.T_LAST_DEADLINE + 1:
        return this.state.hasQuirk(QUIRKS['reset-keeps-deadline']);
      default:
        return false;
    }
  }

  /** Reads a whole register. */
  read(timer: number, register: number, result: U64): void {
    const { state } = this;
    switch (register) {
      case R.TIMER_CONFIGURATION:
        result.set(state.get(timer, S.T_CONFIGURATION), state.memory.get(S.ROUTING_CAPABILITY));
        break;
      case R.TIMER_COMPARATOR:
        this.comparators.read(timer, result);
        break;
      case R.TIMER_FSB_ROUTE:
        result.set(state.get(timer, S.T_FSB_DATA), state.get(timer, S.T_FSB_ADDRESS));
        break;
    }
  }

  /** Writes 4 bytes into the low or `high` half of a register, or all 8. */
  write(timer: number, register: number, high: boolean, size: number, value: U64): void {
    const { state } = this;
    const time = this.comparators.settle(timer);
    switch (register) {
      case R.TIMER_CONFIGURATION:
        // The high half is read-only, but its write arms the timer all the same.
        this.#writeConfiguration(timer, high ? state.get(timer, S.T_CONFIGURATION) : value.lo, time);
        break;
      case R.TIMER_COMPARATOR:
        this.#writeComparator(timer, high, size, value, time);
        break;
      case R.TIMER_FSB_ROUTE:
        if (!high) state.set(timer, S.T_FSB_DATA, value.lo);
        if (high || size === 8) state.set(timer, S.T_FSB_ADDRESS, high ? value.lo : value.hi);
        break;
    }
  }

  #writeConfiguration(timer: number, written: number, time: number | undefined): void {
    const { state, output } = this;
    const old = state.get(timer, S.T_CONFIGURATION);
    const writable = this.#writable(written);
    const configuration = (old & ~writable) | (written & writable);
    // Lowered before route and delivery change: afterwards it would be another line, or none.
    if (old & ~configuration & R.INT_TYPE_CNF) output.lower(timer);
    state.set(timer, S.T_CONFIGURATION, configuration);
    if (configuration & ~old & R.INT_ENB_CNF && state.isPending(timer)) output.raise(timer);
    else output.update(timer);
    if (configuration & R.MODE32_CNF) {
      state.set(timer, S.T_COMPARATOR + 1, 0);
      state.set(timer, S.T_PERIOD + 1, 0);
    }
    if (state.isOn()) this.comparators.schedule(timer, time);
  }

  /**
   * Which configuration bits a write reaches (2.3.8): not the FSB enable bit without the capability, and not the route
   * if the timer does not support the one written.
   */
  #writable(written: number): number {
    const { state } = this;
    const route = (written >> R.INT_ROUTE_SHIFT) & R.INT_ROUTE_MASK;
    let writable = R.TIMER_CONFIGURATION_WRITABLE;
    if (!((state.memory.get(S.ROUTING_CAPABILITY) >> route) & 1) && !state.hasQuirk(QUIRKS['any-route'])) {
      writable &= ~(R.INT_ROUTE_MASK << R.INT_ROUTE_SHIFT);
    }
    if (!state.memory.get(S.FSB_CAPABLE) && !state.hasQuirk(QUIRKS['fsb-without-capability'])) {
      writable &= ~R.FSB_EN_CNF;
    }
    return writable;
  }

  #writeComparator(timer: number, high: boolean, size: number, value: U64, time: number | undefined): void {
    const { state } = this;
    const configuration = state.get(timer, S.T_CONFIGURATION);
    const narrow = (configuration & R.MODE32_CNF) !== 0;
    if (narrow && high) return;
    const periodic = (configuration & R.TYPE_CNF) !== 0;
    const written = !periodic || (configuration & R.VAL_SET_CNF) !== 0;
    const wide = size === 8 ? BOTH : high ? HIGH : LOW;
    const reach = narrow ? NARROW : wide;
    if (written) this.#deposit(timer, S.T_COMPARATOR, reach, value);
    if (periodic) this.#deposit(timer, S.T_PERIOD, reach, value);
    state.set(timer, S.T_CONFIGURATION, configuration & ~R.VAL_SET_CNF);
    state.set(timer, S.T_FLAGS, state.get(timer, S.T_FLAGS) & ~S.EXPIRED_FLAG);
    if (state.isOn()) this.comparators.schedule(timer, time, written);
  }

  /** The upper half of a narrow field is 0. */
  #deposit(timer: number, field: number, reach: number, value: U64): void {
    if (reach === HIGH) {
      this.state.set(timer, field + 1, value.lo);
      return;
    }
    this.state.set(timer, field, value.lo);
    if (reach !== LOW) this.state.set(timer, field + 1, reach === NARROW ? 0 : value.hi);
  }
}
