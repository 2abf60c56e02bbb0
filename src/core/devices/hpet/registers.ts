/**
 * Registers of the HPET. Source: IA-PC HPET (High Precision Event Timers) Specification, revision 1.0a, section 2.3.
 * Offsets are in bytes from the base of a 1 KiB block; all registers are 64 bits wide and little-endian.
 */

/** 2.3.4 General Capabilities and ID: bits 63:32 tick period in fs, 31:16 vendor, 15 legacy, 13 64-bit, 12:8 last timer. */
export const GENERAL_CAPABILITIES = 0x000;
/** 2.3.5 General Configuration. */
export const GENERAL_CONFIGURATION = 0x010;
/** 2.3.6 General Interrupt Status: bit n for timer n, write 1 to clear. */
export const INTERRUPT_STATUS = 0x020;
/** 2.3.7 Main Counter Value. */
export const MAIN_COUNTER = 0x0f0;
/** First of the timer blocks, 0x20 bytes each. */
export const TIMER_BLOCKS = 0x100;
export const TIMER_BLOCK_SIZE = 0x20;

/** 2.3.8 Timer n Configuration and Capability, offset in the timer's block. */
export const TIMER_CONFIGURATION = 0x00;
/** 2.3.9 Timer n Comparator Value. */
export const TIMER_COMPARATOR = 0x08;
/** 2.3.10 Timer n FSB Interrupt Route: bits 31:0 data, 63:32 address. */
export const TIMER_FSB_ROUTE = 0x10;

/** What 1 KiB of registers holds. */
export const MAX_TIMERS = 24;
export const MIN_TIMERS = 3;

/** Main counter tick: 10 ns, 100 MHz. */
export const TICK_NS = 10;
export const TICK_FS = 10_000_000;

/** Vendor 0x8086, legacy replacement capable, 64-bit counter, revision 1. */
export const CAPABILITIES_LOW = 0x8086_a001;
export const CAPABILITIES_LAST_TIMER_SHIFT = 8;

/** General Configuration. */
export const ENABLE_CNF = 1 << 0;
export const LEG_RT_CNF = 1 << 1;
export const GENERAL_CONFIGURATION_WRITABLE = ENABLE_CNF | LEG_RT_CNF;

/** Timer n Configuration and Capability, low half; bits 63:32 are the routing capability. */
export const INT_TYPE_CNF = 1 << 1;
export const INT_ENB_CNF = 1 << 2;
export const TYPE_CNF = 1 << 3;
export const PER_INT_CAP = 1 << 4;
export const SIZE_CAP = 1 << 5;
export const VAL_SET_CNF = 1 << 6;
export const MODE32_CNF = 1 << 8;
export const INT_ROUTE_SHIFT = 9;
export const INT_ROUTE_MASK = 0x1f;
export const FSB_EN_CNF = 1 << 14;
export const FSB_INT_DEL_CAP = 1 << 15;
export const TIMER_CONFIGURATION_WRITABLE =
  INT_TYPE_CNF | INT_ENB_CNF | TYPE_CNF | VAL_SET_CNF | MODE32_CNF | (INT_ROUTE_MASK << INT_ROUTE_SHIFT) | FSB_EN_CNF;

/** Legacy replacement (2.3.5): timer 0 replaces the PIT on line 0, timer 1 the RTC on line 8. */
export const LEGACY_PIT_LINE = 0;
export const LEGACY_RTC_LINE = 8;
