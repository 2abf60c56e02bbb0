import type { I8259 } from '../../core/devices/i8259/chip.js';
import { I8259Pair } from '../../core/devices/i8259/pair.js';
import * as S from '../../core/devices/i8259/state.js';
import type { Memory } from '../../core/memory/memory.js';
import { formatValue } from '../../protocol/values.js';

/** OCW3: the next read of the command port gives the IRR, or the ISR. */
const READ_IRR = 0x0a;
const READ_ISR = 0x0b;
const COMMAND = 0;
const DATA = 1;

/** The 8259 pair, from a copy of its state, which this changes. */
export function describePic(copy: Memory) {
  const pair = new I8259Pair(copy, { intrChanged() {} });
  return { intr: pair.intr, master: describeChip(copy, pair.master), slave: describeChip(copy, pair.slave) };
}

function describeChip(copy: Memory, chip: I8259) {
  const flags = copy.get(chip.at + S.C_FLAGS);
  // A poll that is due would turn the reads below into an acknowledge.
  copy.set(chip.at + S.C_FLAGS, 0);
  chip.write(COMMAND, READ_IRR);
  const irr = chip.read(COMMAND);
  chip.write(COMMAND, READ_ISR);
  const isr = chip.read(COMMAND);
  return {
    initialised: copy.get(chip.at + S.C_PHASE) === S.READY,
    irr: byte(irr),
    isr: byte(isr),
    imr: byte(chip.read(DATA)),
    elcr: byte(chip.elcr),
    vectorBase: copy.get(chip.at + S.C_ICW2),
    lowestPriority: copy.get(chip.at + S.C_LOWEST),
    readsIsr: (flags & S.READ_ISR) !== 0,
    polled: (flags & S.POLL) !== 0,
    specialMask: (flags & S.SPECIAL_MASK) !== 0,
    rotatesOnAutomaticEoi: (flags & S.ROTATE_ON_AEOI) !== 0,
    icw: [S.C_ICW1, S.C_ICW2, S.C_ICW3, S.C_ICW4].map((word) => byte(copy.get(chip.at + word))),
  };
}

function byte(value: number): string {
  return formatValue(value & 0xff, 0, 1);
}
