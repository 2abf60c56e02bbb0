import type { Area, Field } from '../memory/layout.js';
import {
  DEFERRED_AREA,
  HPET_AREA,
  IOAPIC_AREA,
  PIC_AREA,
  ROUTER_AREA,
  TIMER_LIST_AREA,
  XEN_AREA,
} from '../memory/map.js';
// Loads the modules of all devices: each claims its words as it is loaded, and a program may only read checkpoints.
import './chipset.js';
import type { Chipset } from './chipset.js';
import { TIMER_COUNT } from './timer-list.js';

/** Per timer a float64: its deadline in virtual ns, 0 to 2^63, or -1 if it is not armed. */
const DEADLINES = TIMER_LIST_AREA.start;
/** Then per place in the order of deadlines, from the first: 1 + the timer that comes due there, or 0. */
const ORDER = DEADLINES + 2 * TIMER_COUNT;

/** Counts for reports, which do not go back, and what is empty while nobody is in the machine. */
const NOT_SAVED =
  /^deferred\.(total|late|inverted|log|refused|refusedLevels|pulses)\b|^xen\.(setting|failures|lastFailure)$/;

export interface SavedWord {
  readonly name: string;
  /** Offset in the machine's memory. */
  readonly address: number;
  /** A synchronisation word, and no data. */
  readonly isSync: boolean;
}

/**
 * What a snapshot holds of the devices, by name: all that is not constant. A function, because fields are claimed by
 * the modules of the devices as they are loaded, in an order that is the same in all threads and that nothing may disturb.
 */
export function savedWords(): readonly SavedWord[] {
  return [HPET_AREA, ROUTER_AREA, IOAPIC_AREA, PIC_AREA, XEN_AREA, DEFERRED_AREA]
    .flatMap((area: Area) => area.addresses().map((address) => ({ address, field: area.field(address) as Field })))
    .filter(({ field }) => field.protection !== 'constant' && !NOT_SAVED.test(field.name))
    .map(({ address, field }) => ({ name: field.name, address, isSync: field.protection === 'sync' }));
}

/**
 * Copies the state to the absolute word address `to`, at the offsets that it has in the machine's memory, with the timers in
 * place of their list; the caller keeps everyone else out of the machine.
 */
export function saveState(chipset: Chipset, words: readonly SavedWord[], to: number): void {
  const { memory, thread, timers } = chipset;
  const { shared } = thread;
  for (const { address, isSync } of words) {
    shared.set(to + address, isSync ? memory.load(address) : memory.get(address));
  }
  for (let timer = 0; timer < TIMER_COUNT; timer++)
    shared.setTime(to + DEADLINES + 2 * timer, timers.deadlineOf(timer));
  for (let place = 0; place < TIMER_COUNT; place++) shared.set(to + ORDER + place, 0);
  let place = 0;
  timers.forEachArmed((timer) => shared.set(to + ORDER + place++, 1 + timer));
}

/** The converse: it emits no event of the levels that it sets, and arms the timers again, in their old order. */
export function restoreState(chipset: Chipset, words: readonly SavedWord[], from: number): void {
  const { memory, thread, timers } = chipset;
  const { shared } = thread;
  for (const { address, isSync } of words) {
    const value = shared.get(from + address);
    if (isSync) memory.store(address, value);
    else memory.set(address, value);
  }
  for (let timer = 0; timer < TIMER_COUNT; timer++) timers.cancel(timer);
  for (let place = 0; place < TIMER_COUNT; place++) {
    const timer = shared.get(from + ORDER + place) - 1;
    if (timer >= 0) timers.arm(timer, shared.getTime(from + DEADLINES + 2 * timer));
  }
}

/** Where a saved machine has the timer that comes due in a place. */
export function savedPlace(place: number): number {
  return ORDER + place;
}

/** Where the deadline of a timer lies in a saved machine. */
export function savedDeadline(timer: number): number {
  return DEADLINES + 2 * timer;
}
