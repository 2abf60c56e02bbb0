import type { Memory } from '../../memory/memory.js';
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
 * A request that is withdrawn before its acknowledge cycle leaves the chip without one, which then gives the vector of
 * its IR7: IRQ 7 of the master, IRQ 15 of the slave. For the latter the master must still be waiting for the slave, so
 * it keeps the slave's request when the slave's own input withdrew it; the master's ISR bit is set, the slave's is not.
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

  /** Registers as before initialisation, all inputs edge triggered; the levels of the inputs stay. */
  reset(): void {
    this.master.reset();
    this.slave.reset();
    this.#update();
  }

  /**
   * Drives IRQ `irq` (0–15) to `level`; IRQ 2 is the cascade and no input. `isPulse`: what was raised before is a pulse
   * of unspecified width, which is taken to last until it is acknowledged.
   */
  setInput(irq: number, level: number, isPulse: boolean): void {
    if (irq === R.CASCADE_IR) return;
    if (irq < 8) this.master.setInput(irq, level, isPulse);
    else this.slave.setInput(irq - 8, level, isPulse);
    this.#update(irq >= 8);
  }

  /** Interrupt acknowledge cycle: the vector, 8 bits. */
  acknowledge(): number {
    const { master } = this;
    const requested = master.acknowledge();
    const level = requested === NONE ? R.DEFAULT_IR : requested;
    const vector = master.hasSlave(level) ? this.#acknowledgeSlave(level) : master.vector(level);
    master.endAcknowledge();
    this.#update();
    return vector;
  }

  #acknowledgeSlave(cascade: number): number {
    const { slave } = this;
    if (slave.identification !== cascade) return FLOATING;
    const level = slave.acknowledge();
    if (level === NONE) return slave.vector(R.DEFAULT_IR);
    this.#dropCascade();
    slave.endAcknowledge();
    return slave.vector(level);
  }

  /** An acknowledge cycle ends the slave's INT; if it has more to request, the master sees a new edge. */
  #dropCascade(): void {
    this.master.setInput(R.CASCADE_IR, 0);
  }

  /** Brings the slave's INT to the master and the master's to the processor. */
  #update(keepsRequest = false): void {
    this.master.setInput(R.CASCADE_IR, this.slave.int, keepsRequest);
    const intr = this.master.int;
    if (intr === this.memory.get(S.INTR)) return;
    this.memory.set(S.INTR, intr);
    this.ports.intrChanged(intr);
  }

  /** Level of INTR. */
  get intr(): number {
    return this.memory.get(S.INTR);
  }

  // Ports

  static hasPort(port: number): boolean {
    switch (port) {
      case R.MASTER_COMMAND:
      case R.MASTER_DATA:
      case R.SLAVE_COMMAND:
      case R.SLAVE_DATA:
      case R.ELCR_MASTER:
      case R.ELCR_SLAVE:
        return true;
      default:
        return false;
    }
  }

  /** Reads a byte; the pair has the port. */
  readPort(port: number): number {
    switch (port) {
      case R.ELCR_MASTER:
        return this.master.elcr;
      case R.ELCR_SLAVE:
        return this.slave.elcr;
      default:
        return this.#readChip(port);
    }
  }

  #readChip(port: number): number {
    const chip = this.#chipOf(port);
    const polled = chip.isPolled;
    const value = chip.read(port & 1);
    if (polled) {
      if (chip === this.slave) this.#dropCascade();
      this.#update();
    }
    return value;
  }

  /** Writes a byte; the pair has the port. */
  writePort(port: number, value: number): void {
    switch (port) {
      case R.ELCR_MASTER:
        this.master.elcr = value & R.ELCR_MASTER_WRITABLE;
        break;
      case R.ELCR_SLAVE:
        this.slave.elcr = value & R.ELCR_SLAVE_WRITABLE;
        break;
      default:
        this.#chipOf(port).write(port & 1, value & 0xff);
    }
    this.#update();
  }

  #chipOf(port: number): I8259 {
    return port >= R.SLAVE_COMMAND ? this.slave : this.master;
  }
}
