import type { Memory } from '../../memory/memory.js';
import { PIC_QUIRKS } from '../quirks.js';
import * as R from './registers.js';
import * as S from './state.js';

/** No level. */
export const NONE = -1;

/**
 * One 8259A. The caller holds the guard of the pair.
 *
 * - Only 8086 vectors are given: without ICW4, or with its µPM bit clear, the chip would answer with a CALL instruction.
 * - Buffered mode (ICW4) is stored and has no effect: which chip is the master is a matter of wiring.
 * - ICW1 empties the in-service register, which the datasheet's list of its effects does not name: what was in service
 *   before cannot be ended by a guest that knows nothing of it.
 * - The registers of a chip that was never initialised are undefined; here they are 0, and IR7 is the lowest. It accepts no request: "ready to
 *   accept interrupt requests" comes after the last ICW (quirk `pic-uninitialised`).
 *
 * Writes and polls return whether they evaluate INT again: the pair then brings it where it goes.
 */
export class I8259 {
  constructor(
    readonly memory: Memory,
    /** First word of the chip's record. */
    readonly at: number,
    readonly isMaster: boolean,
  ) {}

  /** Registers 0, as before any initialisation; the levels of the inputs stay. */
  reset(): void {
    const inputs = this.#hasQuirk(PIC_QUIRKS['pic-icw1-forgets']) ? 0 : this.#get(S.C_INPUTS);
    for (let word = 0; word < S.CHIP_END; word++) this.#set(word, 0);
    this.#set(S.C_INPUTS, inputs);
    this.#set(S.C_LOWEST, R.DEFAULT_IR);
  }

  // Requests

  /**
   * Drives IR `ir` to `level`. "In both the edge and level triggered modes the IR inputs must remain high until after
   * the falling edge of the first INTA": lowering an input withdraws its request, unless `survives`, see `I8259Pair`.
   */
  setInput(ir: number, level: number, survives: boolean): void {
    const bit = 1 << ir;
    const inputs = this.#get(S.C_INPUTS);
    const isLevel = (this.#levelTriggered() & bit) !== 0;
    const latches = isLevel ? this.#hasQuirk(PIC_QUIRKS['pic-elcr-late']) : (inputs & bit) === 0;
    const edges = this.#get(S.C_EDGES);
    if (!level) {
      this.#set(S.C_INPUTS, inputs & ~bit);
      if (isLevel || !survives) this.#set(S.C_EDGES, edges & ~bit);
    } else {
      this.#set(S.C_INPUTS, inputs | bit);
      if (latches) this.#set(S.C_EDGES, edges | bit);
    }
  }

  get elcr(): number {
    return this.#get(S.C_ELCR);
  }

  /** An input that becomes edge triggered has to rise before it requests again. True: INT is to be evaluated. */
  writeElcr(value: number): boolean {
    this.#set(S.C_ELCR, value);
    if (this.#hasQuirk(PIC_QUIRKS['pic-elcr-late'])) return false;
    this.#set(S.C_EDGES, this.#get(S.C_EDGES) & ~this.#levelTriggered());
    return true;
  }

  #levelTriggered(): number {
    return this.#get(S.C_ICW1) & R.ICW1_LTIM ? 0xff : this.#get(S.C_ELCR);
  }

  /** Interrupt request register: edges that were sensed, and level inputs that are high. */
  get #irr(): number {
    if (this.#hasQuirk(PIC_QUIRKS['pic-elcr-late'])) return this.#get(S.C_EDGES);
    return this.#get(S.C_EDGES) | (this.#get(S.C_INPUTS) & this.#levelTriggered());
  }

  /** In-service levels, under special mask without the masked ones. */
  get #unmaskedInService(): number {
    const isr = this.#get(S.C_ISR);
    return this.#hasFlag(S.SPECIAL_MASK) ? isr & ~this.#get(S.C_IMR) : isr;
  }

  /** The level of the request that INT stands for, or NONE. */
  get request(): number {
    if (this.#get(S.C_PHASE) !== S.READY && !this.#hasQuirk(PIC_QUIRKS['pic-uninitialised'])) return NONE;
    const requests = this.#irr & ~this.#get(S.C_IMR);
    if (!requests) return NONE;
    const nested = this.#get(S.C_ICW4) & R.ICW4_SFNM ? this.#slaveInputs : 0;
    let inhibiting = this.#unmaskedInService;
    if (this.#hasQuirk(PIC_QUIRKS['pic-nested-slave'])) inhibiting &= ~nested;
    for (let step = 1; step <= 8; step++) {
      const level = (this.#get(S.C_LOWEST) + step) & 7;
      const bit = 1 << level;
      if (inhibiting & bit) return requests & nested & bit ? level : NONE;
      if (requests & bit) return level;
    }
    return NONE;
  }

  /** Level of the INT output. */
  get int(): number {
    return this.request === NONE ? 0 : 1;
  }

  // Acknowledge cycle

  /** First INTA pulse: puts the request for `level` into service. */
  acknowledge(level: number): void {
    const bit = 1 << level;
    this.#set(S.C_EDGES, this.#get(S.C_EDGES) & ~(bit & ~this.#levelTriggered()));
    this.#set(S.C_ISR, this.#get(S.C_ISR) | bit);
  }

  /** Trailing edge of the last INTA pulse. Under automatic EOI nothing is left in service. */
  endAcknowledge(): void {
    if (this.#get(S.C_ICW4) & R.ICW4_AEOI) this.#endNonSpecific(this.#hasFlag(S.ROTATE_ON_AEOI));
  }

  vector(level: number): number {
    return this.#get(S.C_ICW2) | level;
  }

  /** Of a master: inputs whose vector a slave gives, bit n for IR n. A single one has none: it takes no ICW3. */
  get #slaveInputs(): number {
    if (!this.isMaster) return 0;
    return this.#hasQuirk(PIC_QUIRKS['pic-fixed-cascade']) ? 1 << R.CASCADE_IR : this.#get(S.C_ICW3);
  }

  hasSlave(level: number): boolean {
    return (this.#slaveInputs & (1 << level)) !== 0;
  }

  /** Of a slave: the IR input of the master that it answers for. */
  get identification(): number {
    return this.#hasQuirk(PIC_QUIRKS['pic-fixed-cascade']) ? R.CASCADE_IR : this.#get(S.C_ICW3) & R.ICW3_ID;
  }

  // Registers

  /** Ends a poll command, if one waits for its read. */
  takePoll(): boolean {
    const polled = this.#hasFlag(S.POLL);
    if (polled) this.#setFlag(S.POLL, false);
    return polled;
  }

  /** Reads the command (`a0` = 0) or data port. */
  read(a0: number): number {
    if (a0 === R.DATA) return this.#get(S.C_IMR);
    return this.#hasFlag(S.READ_ISR) ? this.#get(S.C_ISR) : this.#irr;
  }

  /** Writes the command (`a0` = 0) or data port. True: INT is to be evaluated. */
  write(a0: number, value: number): boolean {
    if (a0 === R.DATA) return this.#writeData(value);
    if (value & R.ICW1) return this.#initialise(value);
    return value & R.OCW3 ? this.#writeOcw3(value) : this.#writeOcw2(value);
  }

  #initialise(icw1: number): boolean {
    const forgets = this.#hasQuirk(PIC_QUIRKS['pic-icw1-forgets']);
    this.#set(S.C_ICW1, icw1);
    this.#set(S.C_EDGES, forgets ? this.#get(S.C_EDGES) & this.elcr : this.#highLevelInputs);
    if (forgets) this.#set(S.C_INPUTS, 0);
    this.#set(S.C_IMR, 0);
    this.#set(S.C_ISR, 0);
    this.#set(S.C_LOWEST, R.DEFAULT_IR);
    this.#set(S.C_ICW3, this.isMaster ? 0 : R.ICW3_ID);
    this.#set(S.C_ICW4, 0);
    this.#set(S.C_FLAGS, 0);
    if (this.#hasQuirk(PIC_QUIRKS['pic-uninitialised'])) this.#set(S.C_ICW2, 0);
    this.#set(S.C_PHASE, S.EXPECTS_ICW2);
    return true;
  }

  /** The level inputs that are high, where their requests are latched. */
  get #highLevelInputs(): number {
    return this.#hasQuirk(PIC_QUIRKS['pic-elcr-late']) ? this.#get(S.C_INPUTS) & this.#levelTriggered() : 0;
  }

  #writeData(value: number): boolean {
    const icw1 = this.#get(S.C_ICW1);
    const afterIcw3 = icw1 & R.ICW1_IC4 ? S.EXPECTS_ICW4 : S.READY;
    switch (this.#get(S.C_PHASE)) {
      case S.EXPECTS_ICW2:
        this.#set(S.C_ICW2, value & R.ICW2_BASE);
        this.#set(S.C_PHASE, icw1 & R.ICW1_SNGL ? afterIcw3 : S.EXPECTS_ICW3);
        break;
      case S.EXPECTS_ICW3:
        this.#set(S.C_ICW3, value);
        this.#set(S.C_PHASE, afterIcw3);
        break;
      case S.EXPECTS_ICW4:
        this.#set(S.C_ICW4, value);
        this.#set(S.C_PHASE, S.READY);
        break;
      default:
        this.#set(S.C_IMR, value);
        return true;
    }
    return !this.#hasQuirk(PIC_QUIRKS['pic-uninitialised']);
  }

  #writeOcw2(value: number): boolean {
    const rotate = (value & R.OCW2_ROTATE) !== 0;
    const level = value & R.OCW2_LEVEL;
    switch (value & (R.OCW2_SPECIFIC | R.OCW2_EOI)) {
      case R.OCW2_EOI:
        return this.#endNonSpecific(rotate);
      case R.OCW2_SPECIFIC | R.OCW2_EOI:
        this.#set(S.C_ISR, this.#get(S.C_ISR) & ~(1 << level));
        if (rotate) this.#set(S.C_LOWEST, level);
        return true;
      case R.OCW2_SPECIFIC:
        // Set priority; without R, no operation.
        if (rotate) this.#set(S.C_LOWEST, level);
        return rotate;
      default:
        this.#setFlag(S.ROTATE_ON_AEOI, rotate);
        return false;
    }
  }

  /** Ends the level in service that has the highest priority. True if there is one. */
  #endNonSpecific(rotate: boolean): boolean {
    const isr = this.#get(S.C_ISR);
    const ending = this.#hasQuirk(PIC_QUIRKS['pic-masked-eoi']) ? isr : this.#unmaskedInService;
    if (!ending) return false;
    let level = this.#get(S.C_LOWEST);
    do level = (level + 1) & 7;
    while (!(ending & (1 << level)));
    this.#set(S.C_ISR, isr & ~(1 << level));
    if (rotate) this.#set(S.C_LOWEST, level);
    return true;
  }

  #writeOcw3(value: number): boolean {
    if (value & R.OCW3_ESMM) this.#setFlag(S.SPECIAL_MASK, (value & R.OCW3_SMM) !== 0);
    if (value & R.OCW3_POLL) this.#setFlag(S.POLL, true);
    if (value & R.OCW3_RR) this.#setFlag(S.READ_ISR, (value & R.OCW3_RIS) !== 0);
    return !this.#hasQuirk(PIC_QUIRKS['pic-ocw3-late']);
  }

  // Access to state

  #hasQuirk(bit: number): boolean {
    return (this.memory.get(S.QUIRK_BITS) & bit) !== 0;
  }

  #hasFlag(flag: number): boolean {
    return (this.#get(S.C_FLAGS) & flag) !== 0;
  }

  #setFlag(flag: number, on: boolean): void {
    const flags = this.#get(S.C_FLAGS);
    this.#set(S.C_FLAGS, on ? flags | flag : flags & ~flag);
  }

  #get(field: number): number {
    return this.memory.get(this.at + field);
  }

  #set(field: number, value: number): void {
    this.memory.set(this.at + field, value);
  }
}
