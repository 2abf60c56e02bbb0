/**
 * The locks of a machine, in the one order in which leaf locks may nest:
 * GSI router → IOAPIC → 8259 pair → timer list. BQL and device mutex are never taken under a leaf lock; in which order
 * those two nest is the choice of the locking design.
 */
export const BQL = 0;
export const DEVICE = 1;
export const ROUTER = 2;
export const IOAPIC = 3;
export const PIC = 4;
export const TIMERS = 5;

export const LOCK_NAMES = ['bql', 'device', 'router', 'ioapic', 'pic', 'timers'] as const;
export const LOCK_COUNT = LOCK_NAMES.length;
