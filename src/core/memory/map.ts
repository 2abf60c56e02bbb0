import { Area } from './layout.js';

/**
 * The memory of one machine: 1760 words (6.9 KiB), one area per module, which alone claims words of it:
 * else addresses would depend on the order in which a thread loads modules. Addresses are relative to the machine's base.
 * Locks lie a cache line (16 words) apart.
 */
export const CONFIG_AREA = new Area('config', 0, 24);
export const LOCK_OPTIONS_AREA = new Area('lockOptions', 24, 28);
export const STATISTICS_AREA = new Area('statistics', 28, 32);
export const CLOCK_AREA = new Area('clock', 32, 48);
export const CONTROL_AREA = new Area('control', 48, 54);
export const DUE_WORK_AREA = new Area('dueWork', 54, 62);
export const LIFE_AREA = new Area('life', 62, 64);
export const LOCKS_AREA = new Area('locks', 64, 192);
export const TIMER_LIST_AREA = new Area('timers', 192, 368);
export const HPET_AREA = new Area('hpet', 368, 800);
export const ROUTER_AREA = new Area('router', 800, 848);
export const IOAPIC_AREA = new Area('ioapic', 848, 960);
export const PIC_AREA = new Area('pic', 960, 1024);
export const LOCK_ORDER_AREA = new Area('lockOrder', 1024, 1088);
export const DEFERRED_AREA = new Area('deferred', 1088, 1312);
export const LINE_QUEUE_AREA = new Area('lineQueue', 1312, 1408);
export const KICK_AREA = new Area('kick', 1408, 1536);
export const LOAD_AREA = new Area('load', 1536, 1552);
export const XEN_AREA = new Area('xen', 1552, 1568);
export const LINE_CHANGES_AREA = new Area('lineChanges', 1568, 1600);
export const STEPS_AREA = new Area('steps', 1600, 1608);

/** An entry per vCPU, on cache lines of its own. */
export const LOCAL_APIC_AREA = new Area('localApics', 1616, 1696);

/** Words that a design from a module declares (`locking/own-design.ts`). */
export const OWN_DESIGN_AREA = new Area('ownDesign', 1696, 1760);

export const MACHINE_WORDS = 1760;

export const MACHINE_AREAS = [
  CONFIG_AREA,
  LOCK_OPTIONS_AREA,
  STATISTICS_AREA,
  CLOCK_AREA,
  CONTROL_AREA,
  DUE_WORK_AREA,
  LIFE_AREA,
  LOCKS_AREA,
  TIMER_LIST_AREA,
  HPET_AREA,
  ROUTER_AREA,
  IOAPIC_AREA,
  PIC_AREA,
  LOCK_ORDER_AREA,
  DEFERRED_AREA,
  LINE_QUEUE_AREA,
  KICK_AREA,
  LOAD_AREA,
  XEN_AREA,
  LINE_CHANGES_AREA,
  STEPS_AREA,
  LOCAL_APIC_AREA,
  OWN_DESIGN_AREA,
];
