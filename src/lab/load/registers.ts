import * as hpet from '../../core/devices/hpet/registers.js';
import * as ioapic from '../../core/devices/ioapic/registers.js';

/** Registers that a guest programs, by physical address (HPET specification 1.0a, section 2.3; 82093AA, section 3). */
export const GENERAL_CONFIGURATION = hpet.HPET_BASE + hpet.GENERAL_CONFIGURATION;
export const INTERRUPT_STATUS = hpet.HPET_BASE + hpet.INTERRUPT_STATUS;
export const MAIN_COUNTER = hpet.HPET_BASE + hpet.MAIN_COUNTER;
export const IOREGSEL = ioapic.IOAPIC_BASE;
export const IOWIN = ioapic.IOAPIC_BASE + 0x10;

export const { ENABLE_CNF, TICK_NS } = hpet;
export { MASKED, TRIGGER_LEVEL } from '../../core/devices/ioapic/registers.js';

/** Timer configuration. */
export const LEVEL = hpet.INT_TYPE_CNF;
export const ENABLE = hpet.INT_ENB_CNF;
export const PERIODIC = hpet.TYPE_CNF;
export const VALUE_SET = hpet.VAL_SET_CNF;
export const route = (gsi: number) => gsi << hpet.INT_ROUTE_SHIFT;

/** Configuration and comparator of a timer. */
export const configurationOf = (timer: number) => block(timer) + hpet.TIMER_CONFIGURATION;
export const comparatorOf = (timer: number) => block(timer) + hpet.TIMER_COMPARATOR;

function block(timer: number): number {
  return hpet.HPET_BASE + hpet.TIMER_BLOCKS + timer * hpet.TIMER_BLOCK_SIZE;
}

/** Index of the low half of a redirection entry; the high half follows. */
export const entryIndex = (pin: number) => 0x10 + 2 * pin;
