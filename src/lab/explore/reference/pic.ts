import * as G from '../../../core/devices/guest-map.js';
import * as R from '../../../core/devices/i8259/registers.js';

const NONE = -1;
/** What the data port takes next. */
const READY = 0;
const ICW2 = 2;
const ICW3 = 3;
const ICW4 = 4;

/** One 8259A as QEMU 11.1 has it. Writes return whether INT is evaluated. */
class Chip {
  /** Requests, masks, levels in service, the last levels of the inputs, and the level-triggered ones: bit n for IR n. */
  irr = 0;
  imr = 0;
  isr = 0;
  inputs = 0;
  elcr = 0;
  /** The level with the lowest priority. */
  lowest = R.DEFAULT_IR;
  base = 0;
  icw1 = 0;
  icw4 = 0;
  expects = READY;
  readsIsr = false;
  polls = false;
  specialMask = false;
  rotatesOnAeoi = false;

  constructor(readonly isMaster: boolean) {}

  get #levelTriggered(): number {
    return this.icw1 & R.ICW1_LTIM ? 0xff : this.elcr;
  }

  setInput(ir: number, level: number): void {
    const bit = 1 << ir;
    const isLevel = this.#levelTriggered & bit;
    if (level) {
      if (isLevel || !(this.inputs & bit)) this.irr |= bit;
      this.inputs |= bit;
    } else {
      if (isLevel) this.irr &= ~bit;
      this.inputs &= ~bit;
    }
  }

  /** The level that INT stands for. */
  get request(): number {
    const requests = this.irr & ~this.imr;
    let inhibiting = this.specialMask ? this.isr & ~this.imr : this.isr;
    if (this.isMaster && this.icw4 & R.ICW4_SFNM) inhibiting &= ~(1 << R.CASCADE_IR);
    for (let step = 1; step <= 8; step++) {
      const level = (this.lowest + step) & 7;
      if (inhibiting & (1 << level)) return NONE;
      if (requests & (1 << level)) return level;
    }
    return NONE;
  }

  get int(): number {
    return this.request === NONE ? 0 : 1;
  }

  /** Puts a level into service; under automatic EOI `end` ends that. */
  acknowledge(level: number): void {
    this.irr &= ~(1 << level) | this.#levelTriggered;
    this.isr |= 1 << level;
  }

  end(): void {
    if (this.icw4 & R.ICW4_AEOI) this.#endHighest(this.rotatesOnAeoi);
  }

  #endHighest(rotates: boolean): boolean {
    if (this.isr === 0) return false;
    let level = this.lowest;
    do level = (level + 1) & 7;
    while (!(this.isr & (1 << level)));
    this.isr &= ~(1 << level);
    if (rotates) this.lowest = level;
    return true;
  }

  read(port: number): number {
    if (port & R.DATA) return this.imr;
    return this.readsIsr ? this.isr : this.irr;
  }

  write(port: number, value: number): boolean {
    if (port & R.DATA) return this.#writeData(value);
    if (value & R.ICW1) {
      Object.assign(this, new Chip(this.isMaster), { elcr: this.elcr, irr: this.irr & this.elcr });
      this.icw1 = value;
      this.expects = ICW2;
      return true;
    }
    return value & R.OCW3 ? this.#writeOcw3(value) : this.#writeOcw2(value);
  }

  #writeData(value: number): boolean {
    const last = this.icw1 & R.ICW1_IC4 ? ICW4 : READY;
    if (this.expects === ICW2) {
      this.base = value & R.ICW2_BASE;
      this.expects = this.icw1 & R.ICW1_SNGL ? last : ICW3;
    } else if (this.expects === ICW3) {
      this.expects = last;
    } else if (this.expects === ICW4) {
      this.icw4 = value;
      this.expects = READY;
    } else {
      this.imr = value;
      return true;
    }
    return false;
  }

  #writeOcw2(value: number): boolean {
    const rotates = (value & R.OCW2_ROTATE) !== 0;
    const level = value & R.OCW2_LEVEL;
    const isSpecific = (value & R.OCW2_SPECIFIC) !== 0;
    const isEoi = (value & R.OCW2_EOI) !== 0;
    if (!isSpecific && isEoi) return this.#endHighest(rotates);
    if (!isSpecific) this.rotatesOnAeoi = rotates;
    else if (rotates) this.lowest = level;
    if (isSpecific && isEoi) this.isr &= ~(1 << level);
    return isSpecific && (isEoi || rotates);
  }

  #writeOcw3(value: number): boolean {
    if (value & R.OCW3_ESMM) this.specialMask = (value & R.OCW3_SMM) !== 0;
    if (value & R.OCW3_POLL) this.polls = true;
    if (value & R.OCW3_RR) this.readsIsr = (value & R.OCW3_RIS) !== 0;
    return false;
  }
}

/** The 8259 pair of a PC as QEMU 11.1 has it. */
export class PicModel {
  master = new Chip(true);
  slave = new Chip(false);
  intr = 0;

  constructor(readonly intrChanged: (level: number) => void) {}

  copyFrom(other: PicModel): void {
    Object.assign(this.master, other.master);
    Object.assign(this.slave, other.slave);
    this.intr = other.intr;
  }

  reset(): void {
    this.master = new Chip(true);
    this.slave = new Chip(false);
    this.#evaluate(this.slave);
  }

  setInput(irq: number, level: number): void {
    if (irq === R.CASCADE_IR || irq > 15) return;
    const chip = irq < 8 ? this.master : this.slave;
    chip.setInput(irq & 7, level);
    this.#evaluate(chip);
  }

  #evaluate(chip: Chip): void {
    if (chip === this.slave) this.master.setInput(R.CASCADE_IR, this.slave.int);
    if (this.master.int === this.intr) return;
    this.intr = this.master.int;
    this.intrChanged(this.intr);
  }

  /** An acknowledge cycle: the vector. */
  acknowledge(): number {
    const { master, slave } = this;
    const level = master.request;
    if (level === NONE) return master.base | R.DEFAULT_IR;
    let vector = master.base | level;
    if (level === R.CASCADE_IR) {
      const inner = slave.request;
      vector = slave.base | (inner === NONE ? R.DEFAULT_IR : inner);
      if (inner !== NONE) this.#acknowledgeSlave(inner);
    }
    master.acknowledge(level);
    master.end();
    this.#evaluate(master);
    return vector;
  }

  #acknowledgeSlave(level: number): void {
    this.slave.acknowledge(level);
    this.slave.end();
    this.master.setInput(R.CASCADE_IR, this.slave.int);
  }

  read(port: number): number {
    if (port === G.ELCR_MASTER) return this.master.elcr;
    if (port === G.ELCR_SLAVE) return this.slave.elcr;
    const chip = this.#chipAt(port);
    if (!chip.polls) return chip.read(port);
    chip.polls = false;
    const level = chip.request;
    if (level === NONE) return 0;
    if (chip === this.slave) this.#acknowledgeSlave(level);
    else {
      chip.acknowledge(level);
      chip.end();
    }
    this.#evaluate(chip);
    return R.POLL_INTERRUPT | level;
  }

  write(port: number, value: number): void {
    const chip = this.#chipAt(port);
    if (port === G.ELCR_MASTER) chip.elcr = value & R.ELCR_MASTER_WRITABLE;
    else if (port === G.ELCR_SLAVE) chip.elcr = value & R.ELCR_SLAVE_WRITABLE;
    else if (chip.write(port, value & 0xff)) this.#evaluate(chip);
  }

  #chipAt(port: number): Chip {
    return port === G.SLAVE_COMMAND || port === G.SLAVE_DATA || port === G.ELCR_SLAVE ? this.slave : this.master;
  }
}
