import { Record } from '../../memory/layout.js';
import { HPET_AREA as AREA } from '../../memory/map.js';
import { SEQUENCE_LOCK_WORDS } from '../../sync/sequence-lock.js';
import { MAX_TIMERS } from './registers.js';

/** Where the HPET keeps its registers and hidden state, in words of a machine's memory. */

/** Fixed when the machine is made. */
export const TIMER_COUNT = AREA.word('timerCount', 'constant');
export const FSB_CAPABLE = AREA.word('fsbCapable', 'constant');
export const ROUTING_CAPABILITY = AREA.word('routingCapability', 'constant');
export const QUIRK_BITS = AREA.word('quirks', 'constant');

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
/** Hidden: the last deadline that was armed, in ns; the lower bound of periods counts from it. */
export const T_LAST_DEADLINE = TIMER.word('lastDeadline.low', 'hpet');
TIMER.word('lastDeadline.high', 'hpet');
/** Hidden: 1 + the line that this timer holds high, or 0. Not used under quirk `stale-line`. */
export const T_HELD_LINE = TIMER.word('heldLine', 'hpet');
TIMER.word('unused', 'hpet');

export const TIMER_WORDS = TIMER.size;
export const TIMERS = TIMER.table(AREA, 'timer', MAX_TIMERS);

/** T_FLAGS: the armed deadline is the wrap of the low half of the counter; the match comes after it. */
export const WRAP_FLAG = 1 << 0;
/** T_FLAGS: a one-shot match has fired since the comparator was last written. */
export const EXPIRED_FLAG = 1 << 1;
