import { Area } from './layout.js';

/**
 * The memory of one machine: 1024 words (4 KiB), one area per owner. Addresses are relative to the machine's base.
 * Locks lie a cache line (16 words) apart.
 */
export const CONFIG_AREA = new Area('config', 0, 32);
export const CLOCK_AREA = new Area('clock', 32, 48);
export const CONTROL_AREA = new Area('control', 48, 64);
export const LOCKS_AREA = new Area('locks', 64, 192);
export const TIMER_LIST_AREA = new Area('timers', 192, 368);
export const HPET_AREA = new Area('hpet', 368, 800);
export const ROUTER_AREA = new Area('router', 800, 848);
export const IOAPIC_AREA = new Area('ioapic', 848, 960);
export const PIC_AREA = new Area('pic', 960, 1024);

export const MACHINE_WORDS = 1024;

export const MACHINE_AREAS = [
  CONFIG_AREA,
  CLOCK_AREA,
  CONTROL_AREA,
  LOCKS_AREA,
  TIMER_LIST_AREA,
  HPET_AREA,
  ROUTER_AREA,
  IOAPIC_AREA,
  PIC_AREA,
];
