import * as R from '../../../core/devices/hpet/registers.js';
import { IOAPIC_BASE, IOREDTBL, IOREGSEL, IOWIN } from '../../../core/devices/ioapic/registers.js';

/** Guest physical addresses of the HPET's registers, and bits of its timers' configuration. */
export const HPET = {
  CONFIGURATION: R.HPET_BASE + R.GENERAL_CONFIGURATION,
  STATUS: R.HPET_BASE + R.INTERRUPT_STATUS,
  COUNTER: R.HPET_BASE + R.MAIN_COUNTER,
  timer: (timer: number) => R.HPET_BASE + R.TIMER_BLOCKS + timer * R.TIMER_BLOCK_SIZE + R.TIMER_CONFIGURATION,
  comparator: (timer: number) => R.HPET_BASE + R.TIMER_BLOCKS + timer * R.TIMER_BLOCK_SIZE + R.TIMER_COMPARATOR,
  fsbRoute: (timer: number) => R.HPET_BASE + R.TIMER_BLOCKS + timer * R.TIMER_BLOCK_SIZE + R.TIMER_FSB_ROUTE,
  ON: R.ENABLE_CNF,
  LEGACY: R.LEG_RT_CNF,
  LEVEL: R.INT_TYPE_CNF,
  ENABLE: R.INT_ENB_CNF,
  PERIODIC: R.TYPE_CNF,
  VAL_SET: R.VAL_SET_CNF,
  BITS_32: R.MODE32_CNF,
  FSB: R.FSB_EN_CNF,
  route: (line: number) => line << R.INT_ROUTE_SHIFT,
};

/** Guest physical addresses of the IOAPIC, and numbers of its redirection entries. */
export const IOAPIC = {
  SELECT: IOAPIC_BASE + IOREGSEL,
  WINDOW: IOAPIC_BASE + IOWIN,
  entry: (pin: number) => IOREDTBL + 2 * pin,
};
