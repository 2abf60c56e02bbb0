/** Kinds of trace records. What begins and has no end is still going on, or was broken off. */

/** A lock was taken at a call site; it is about to be given back. */
export const HOLD_BEGINS = 1;
export const HOLD_ENDS = 2;
/** Waiting for a lock. `a`: who held it, thread | call site << 8; `b`: bit per lock that this thread holds. */
export const WAIT_BEGINS = 3;
/** `a`: 1 if the lock was taken, 0 if it was refused because waiting would have been a deadlock. */
export const WAIT_ENDS = 4;
/** An MMIO access of a vCPU. `a`: address; `b`: size in bytes. */
export const ACCESS_BEGINS = 5;
export const ACCESS_ENDS = 6;
/** A timer that is due. `a`: timer; `number`: how late it is, in virtual ns. */
export const CALLBACK_BEGINS = 7;
export const CALLBACK_ENDS = 8;
/**
 * An interrupt event. `a`: its position in the event ring; `b`: its summary (`machine/events.ts`).
 */
export const INTERRUPT = 9;
/** The gateway delivers an event to clients. `a`: position in the event ring; `b`: kind. */
export const DELIVERY_BEGINS = 10;
export const DELIVERY_ENDS = 11;
/** This thread closed a cycle of waiting. `a`: 1 if it was refused the lock, 0 if the threads hang. */
export const DEADLOCK = 12;
