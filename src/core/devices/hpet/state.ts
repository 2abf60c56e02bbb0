import { Record } from '../../memory/layout.js';
import { HPET_AREA as AREA } from '../../memory/map.js';
import type { Memory } from '../../memory/memory.js';
import type { U64 } from '../../memory/u64.js';
import { SEQUENCE_LOCK_WORDS } from '../../sync/sequence-lock.js';
import { QUIRKS } from '../quirks.js';
import * as R from './registers.js';

/** Where the HPET keeps its registers and hidden state, in words of a machine's memory. */

/** Fixed when the machine is made. */
export const TIMER_COUNT = AREA.word('timerCount', 'constant');
export const FSB_CAPABLE = AREA.word('fsbCapable', 'constant');
export const ROUTING_CAPABILITY = AREA.word('routingCapability', 'constant');
export const QUIRK_BITS = AREA.word('quirks', 'constant');
export const LEGACY_SEQUENCE_LOCK = AREA.word('legacySequenceLock', 'constant');

/** Readable without a lock, by any thread at any time. */
export const COUNTER = AREA.words('counter', SEQUENCE_LOCK_WORDS, 'sync');

export const CONFIGURATION = AREA.word('configuration', 'hpet');
export const STATUS = AREA.word('status', 'hpet');
/** Levels of the PIT and RTC inputs, which reach lines 0 and 8 while legacy replacement is off. */
export const PIT_LEVEL = AREA.word('pitLevel', 'hpet');
export const RTC_LEVEL = AREA.word('rtcLevel', 'hpet');

const TIMER = new Record();
export const T_CONFIGURATION = TIMER.word('configuration', 'hpet');
/** Hidden: bits below. */
export const T_FLAGS = TIMER.word('flags', 'hpet');
export const T_COMPARATOR = TIMER.word('comparator.low', 'hpet');
TIMER.word('comparator.high', 'hpet');
export const T_FSB_DATA = TIMER.word('fsb.data', 'hpet');
export const T_FSB_ADDRESS = TIMER.word('fsb.address', 'hpet');
/** Hidden: what a periodic timer adds to its comparator. */
export const T_PERIOD = TIMER.word('period.low', 'hpet');
TIMER.word('period.high', 'hpet');
/** Hidden: the counter value that the comparator stands for, in 32-bit mode too. */
export const T_TARGET = TIMER.word('target.low', 'hpet');
TIMER.word('target.high', 'hpet');
/**
 * Hidden: the last deadline that was armed, in virtual ns, signed: below 0 for a match before virtual zero. The lower
 * bound of periods counts from it.
 */
export const T_LAST_DEADLINE = TIMER.word('lastDeadline.low', 'hpet');
TIMER.word('lastDeadline.high', 'hpet');
/** Hidden: 1 + the line that this timer holds high, or 0. Not used under quirk `stale-line`. */
export const T_HELD_LINE = TIMER.word('heldLine', 'hpet');
TIMER.word('unused', 'hpet');

export const TIMER_WORDS = TIMER.size;
export const TIMERS = TIMER.table(AREA, 'timer', R.MAX_TIMERS);

/** T_FLAGS: the armed deadline is the wrap of the low half of the counter; the match comes after it. */
export const WRAP_FLAG = 1 << 0;
/** T_FLAGS: a one-shot match has fired since the comparator was last written. */
export const EXPIRED_FLAG = 1 << 1;
/** T_FLAGS: the timer has a deadline, armed or `isUnobserved`, which lay ahead when it was computed. */
export const AHEAD_FLAG = 1 << 2;

/** Under these the match of a timer that is not enabled lowers a line or a status bit, or deadlines are QEMU's own. */
const OBSERVING_QUIRKS =
  QUIRKS['stale-line'] |
  QUIRKS['shared-line-drops'] |
  QUIRKS['reset-keeps-status'] |
  QUIRKS['periodic-double'] |
  QUIRKS['expired-fires-again'] |
  QUIRKS['huge-comparator'] |
  QUIRKS['wrap-fires-32'];

/** The HPET's registers and hidden state, by name. The caller holds the HPET's guard. */
export class HpetState {
  constructor(readonly memory: Memory) {}

  get timers(): number {
    return this.memory.get(TIMER_COUNT);
  }

  hasQuirk(bits: number): boolean {
    return (this.memory.get(QUIRK_BITS) & bits) !== 0;
  }

  isOn(): boolean {
    return (this.memory.get(CONFIGURATION) & R.ENABLE_CNF) !== 0;
  }

  isLegacy(): boolean {
    return (this.memory.get(CONFIGURATION) & R.LEG_RT_CNF) !== 0;
  }

  isPending(timer: number): boolean {
    return (this.memory.get(STATUS) & (1 << timer)) !== 0;
  }

  setPending(timer: number, pending: boolean): void {
    const status = this.memory.get(STATUS);
    this.memory.set(STATUS, pending ? status | (1 << timer) : status & ~(1 << timer));
  }

  /** Whether the timer may interrupt: its own enable bit and the HPET's. */
  isEnabled(timer: number): boolean {
    return (this.get(timer, T_CONFIGURATION) & R.INT_ENB_CNF) !== 0 && this.isOn();
  }

  isLevel(timer: number): boolean {
    return (this.get(timer, T_CONFIGURATION) & R.INT_TYPE_CNF) !== 0;
  }

  isPeriodic(timer: number): boolean {
    return (this.get(timer, T_CONFIGURATION) & R.TYPE_CNF) !== 0;
  }

  /**
   * Whether a match has no effect but on the comparator: the timer is edge-triggered and not enabled, and no quirk makes
   * more of it. Such a timer is not armed; the comparator is computed when it is read.
   */
  isUnobserved(timer: number): boolean {
    const configuration = this.get(timer, T_CONFIGURATION);
    return (configuration & (R.INT_TYPE_CNF | R.INT_ENB_CNF)) === 0 && !this.hasQuirk(OBSERVING_QUIRKS);
  }

  is32Bit(timer: number): boolean {
    return (this.get(timer, T_CONFIGURATION) & R.MODE32_CNF) !== 0;
  }

  /** One word of a timer. */
  get(timer: number, field: number): number {
    return this.memory.get(TIMERS + timer * TIMER_WORDS + field);
  }

  set(timer: number, field: number, value: number): void {
    this.memory.set(TIMERS + timer * TIMER_WORDS + field, value);
  }

  /** Two words of a timer, low half first. */
  load(timer: number, field: number, into: U64): U64 {
    return into.set(this.get(timer, field), this.get(timer, field + 1));
  }

  store(timer: number, field: number, value: U64): void {
    this.set(timer, field, value.lo);
    this.set(timer, field + 1, value.hi);
  }
}
