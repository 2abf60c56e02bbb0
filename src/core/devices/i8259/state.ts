import { Record } from '../../memory/layout.js';
import { PIC_AREA as AREA } from '../../memory/map.js';

/** Where the 8259 pair keeps its registers, in words of a machine's memory. */

/** Level of the master's INT as it was last reported. */
export const INTR = AREA.word('intr', 'pic');

const CHIP = new Record();
/** Interrupt mask and in-service registers, bit n for IR n. */
export const C_IMR = CHIP.word('imr', 'pic');
export const C_ISR = CHIP.word('isr', 'pic');
/** Bit n: level of IR n. */
export const C_INPUTS = CHIP.word('inputs', 'pic');
/** Bit n: IR n has a latched request. Those of level inputs are here under quirk `pic-elcr-late` only. */
export const C_EDGES = CHIP.word('edges', 'pic');
/** Bit n of the edge/level control register. */
export const C_ELCR = CHIP.word('elcr', 'pic');
/** The level with the lowest priority. */
export const C_LOWEST = CHIP.word('lowest', 'pic');
export const C_ICW1 = CHIP.word('icw1', 'pic');
export const C_ICW2 = CHIP.word('icw2', 'pic');
export const C_ICW3 = CHIP.word('icw3', 'pic');
export const C_ICW4 = CHIP.word('icw4', 'pic');
/** What the next write to the data port is. */
export const C_PHASE = CHIP.word('phase', 'pic');
export const C_FLAGS = CHIP.word('flags', 'pic');
const CHIP_WORDS = CHIP.size;

export const MASTER = CHIP.table(AREA, 'chip', 2);
export const SLAVE = MASTER + CHIP_WORDS;
export const CHIP_END = CHIP_WORDS;

export const QUIRK_BITS = AREA.word('quirks', 'constant');

/** C_PHASE. A chip that was never initialised takes OCWs, but accepts no interrupt request. */
export const NOT_INITIALISED = 0;
export const EXPECTS_ICW2 = 1;
export const EXPECTS_ICW3 = 2;
export const EXPECTS_ICW4 = 3;
export const READY = 4;

/** C_FLAGS. */
export const READ_ISR = 1 << 0;
export const POLL = 1 << 1;
export const SPECIAL_MASK = 1 << 2;
export const ROTATE_ON_AEOI = 1 << 3;
