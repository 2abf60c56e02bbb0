import * as hpet from '../../core/devices/hpet/registers.js';

/** Registers that a guest programs, by physical address (HPET specification 1.0a, section 2.3; 82093AA, section 3). */
export {
  HPET_CONFIGURATION as GENERAL_CONFIGURATION,
  HPET_COUNTER as MAIN_COUNTER,
  HPET_STATUS as INTERRUPT_STATUS,
  hpetComparator as comparatorOf,
  hpetTimer as configurationOf,
  IOAPIC_SELECT as IOREGSEL,
  IOAPIC_WINDOW as IOWIN,
  redirectionEntry as entryIndex,
} from '../../core/devices/guest-map.js';

export const { ENABLE_CNF, TICK_NS } = hpet;
export { MASKED, TRIGGER_LEVEL } from '../../core/devices/ioapic/registers.js';

/** Timer configuration. */
export const LEVEL = hpet.INT_TYPE_CNF;
export const ENABLE = hpet.INT_ENB_CNF;
export const PERIODIC = hpet.TYPE_CNF;
export const VALUE_SET = hpet.VAL_SET_CNF;
export const route = (gsi: number) => gsi << hpet.INT_ROUTE_SHIFT;
