/**
 * Registers of the 8259 pair. Sources: Intel 8259A Programmable Interrupt Controller (231468-003), "Initialization
 * Command Words" and "Operation Command Words"; Intel 82371AB PIIX4 (290562-001), section 4.2.2 for the edge/level
 * control registers. All registers are 8 bits wide; `guest-map.ts` has the ports.
 */

/** IRQ 0, 1, 2, 8 and 13 are always edge triggered. */
export const ELCR_MASTER_WRITABLE = 0xf8;
export const ELCR_SLAVE_WRITABLE = 0xde;

/** The slave's INT is the master's IR2. */
export const CASCADE_IR = 2;
/** The level that a chip answers with when it is acknowledged without a request. */
export const DEFAULT_IR = 7;

/** Address line A0: command port 0, data port 1. */
export const COMMAND = 0;
export const DATA = 1;

/** Command port, D4 set: ICW1. Else D3 set: OCW3. Else OCW2. */
export const ICW1 = 1 << 4;
export const OCW3 = 1 << 3;

/** ICW1. The interval of call addresses (D2) has no meaning for 8086 vectors. */
export const ICW1_IC4 = 1 << 0;
export const ICW1_SNGL = 1 << 1;
export const ICW1_LTIM = 1 << 3;

/** ICW2: bits 7:3 of the vector. */
export const ICW2_BASE = 0xf8;

/** ICW3 of a master: bit n, a slave is on IR n. Of a slave: bits 2:0, its identification. */
export const ICW3_ID = 7;

/** ICW4. */
export const ICW4_AEOI = 1 << 1;
export const ICW4_SFNM = 1 << 4;

/** OCW2: bits 7:5 command, 2:0 level. */
export const OCW2_ROTATE = 1 << 7;
export const OCW2_SPECIFIC = 1 << 6;
export const OCW2_EOI = 1 << 5;
export const OCW2_LEVEL = 7;

/** OCW3. */
export const OCW3_RIS = 1 << 0;
export const OCW3_RR = 1 << 1;
export const OCW3_POLL = 1 << 2;
export const OCW3_SMM = 1 << 5;
export const OCW3_ESMM = 1 << 6;

/** Poll word: an interrupt is there; bits 2:0 its level. */
export const POLL_INTERRUPT = 1 << 7;
