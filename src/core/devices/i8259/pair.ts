import type { Memory } from '../../memory/memory.js';
import { ELCR_MASTER, ELCR_SLAVE, SLAVE_COMMAND } from '../guest-map.js';
import { PIC_QUIRKS } from '../quirks.js';
import { I8259, NONE } from './chip.js';
import * as R from './registers.js';
import * as S from './state.js';

export const IRQ_COUNT = 16;

/** What the bus floats to when nothing answers an acknowledge cycle. */
const FLOATING = 0xff;

export interface I8259Ports {
  /** The master's INT, the processor's INTR, changed to `level`. */
  intrChanged(level: number): void;
}

/**
 * The two 8259A of a PC and their edge/level control registers. The caller holds the pair's guard.
 *
 * A request that is withdrawn before its acknowledge cycle, by its line, by a mask or by an EOI, leaves no trace: the
 * master gives the vector of its IR7 to a cycle that comes all the same.
 */
export class I8259Pair {
  readonly master: I8259;
  readonly slave: I8259;

  constructor(
    readonly memory: Memory,
    readonly ports: I8259Ports,
  ) {
    this.master = new I8259(memory, S.MASTER, true);
    this.slave = new I8259(memory, S.SLAVE, false);
  }

  /** `quirks`: bits of PIC_QUIRKS. */
  create(quirks: number): void {
    this.memory.set(S.QUIRK_BITS, quirks);
    this.reset();
  }

  /** Registers as before initialisation, all inputs edge triggered; the levels of the inputs stay. */
  reset(): void {
    this.master.reset();
    this.slave.reset();
    this.#evaluate(this.slave);
  }

  /**
   * Drives IRQ `irq` (0–15) to `level`; IRQ 2 is the cascade and no input. `isPulse`: this ends a pulse of unspecified
   * width, which counts as lasting until its acknowledge cycle.
   */
  setInput(irq: number, level: number, isPulse: boolean): void {
    if (irq === R.CASCADE_IR) return;
    const chip = irq < 8 ? this.master : this.slave;
    chip.setInput(irq & 7, level, isPulse || this.#hasQuirk(PIC_QUIRKS['pic-edge-survives']));
    this.#evaluate(chip);
  }

  /** Interrupt acknowledge cycle: the vector, 8 bits. */
  acknowledge(): number {
    const { master } = this;
    const requested = master.request;
    const level = requested === NONE ? R.DEFAULT_IR : requested;
    const isLate = this.#hasQuirk(PIC_QUIRKS['pic-cascade-stays']);
    // What the slave requests next is a new edge for the master, unless the master has not ended this one yet.
    if (requested !== NONE && !isLate) master.acknowledge(level);
    const vector = master.hasSlave(level) ? this.#acknowledgeSlave(level) : master.vector(level);
    if (requested === NONE) return vector;
    if (isLate) master.acknowledge(level);
    master.endAcknowledge();
    this.#evaluate(master);
    return vector;
  }

  #acknowledgeSlave(cascade: number): number {
    const { slave } = this;
    if (slave.identification !== cascade) return FLOATING;
    const level = slave.request;
    if (level === NONE) return slave.vector(R.DEFAULT_IR);
    slave.acknowledge(level);
    this.#endSlaveCycle();
    return slave.vector(level);
  }

  /** The slave's INT falls with its acknowledge cycle; more to request is a new edge for the master. */
  #endSlaveCycle(): void {
    if (!this.#hasQuirk(PIC_QUIRKS['pic-cascade-stays'])) this.#driveCascade(0);
    this.slave.endAcknowledge();
    this.#driveCascade(this.slave.int);
  }

  /** Brings a chip's INT to where it goes: the slave's to the master, the master's to the processor. */
  #evaluate(chip: I8259): void {
    if (chip === this.slave) this.#driveCascade(this.slave.int);
    const intr = this.master.int;
    if (intr === this.memory.get(S.INTR)) return;
    this.memory.set(S.INTR, intr);
    this.ports.intrChanged(intr);
  }

  #driveCascade(level: number): void {
    this.master.setInput(R.CASCADE_IR, level, this.#hasQuirk(PIC_QUIRKS['pic-cascade-survives']));
  }

  #hasQuirk(bit: number): boolean {
    return (this.memory.get(S.QUIRK_BITS) & bit) !== 0;
  }

  /** Level of INTR. */
  get intr(): number {
    return this.memory.get(S.INTR);
  }

  // Ports

  /** Reads a byte; the pair has the port. */
  readPort(port: number): number {
    switch (port) {
      case ELCR_MASTER:
        return this.master.elcr;
      case ELCR_SLAVE:
        return this.slave.elcr;
      default:
        return this.#readChip(port);
    }
  }

  /** After a poll command, the read is the acknowledge cycle, and either port gives the poll word. */
  #readChip(port: number): number {
    const chip = this.#chipOf(port);
    if (!chip.takePoll()) return chip.read(port & 1);
    const level = chip.request;
    // The level, which has no meaning without a request, is 0 then.
    if (level === NONE) return 0;
    chip.acknowledge(level);
    if (chip === this.slave) this.#endSlaveCycle();
    else chip.endAcknowledge();
    this.#evaluate(chip);
    return R.POLL_INTERRUPT | level;
  }

  /** Writes a byte; the pair has the port. */
  writePort(port: number, value: number): void {
    const chip = this.#chipOf(port);
    if (this.#write(chip, port, value)) this.#evaluate(chip);
  }

  /** True: the chip's INT is to be evaluated. */
  #write(chip: I8259, port: number, value: number): boolean {
    switch (port) {
      case ELCR_MASTER:
        return chip.writeElcr(value & R.ELCR_MASTER_WRITABLE);
      case ELCR_SLAVE:
        return chip.writeElcr(value & R.ELCR_SLAVE_WRITABLE);
      default:
        return chip.write(port & 1, value & 0xff);
    }
  }

  #chipOf(port: number): I8259 {
    return port >= SLAVE_COMMAND && port !== ELCR_MASTER ? this.slave : this.master;
  }
}
