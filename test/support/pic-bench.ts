import { BenchMachine, type BenchOptions } from './bench-machine.js';

export const MASTER = 0x20;
export const SLAVE = 0xa0;

export const EOI = 0x20;
/** Specific EOI of a level: SPECIFIC_EOI | level. */
export const SPECIFIC_EOI = 0x60;

export interface InitOptions {
  /** ICW1 of both chips. */
  readonly icw1?: number;
  /** ICW4 of each chip. */
  readonly master?: number;
  readonly slave?: number;
}

/** A machine whose 8259 pair is driven as a PC's guest drives it. */
export class PicBench extends BenchMachine {
  constructor(options: BenchOptions & { readonly init?: InitOptions } = {}) {
    super(options);
    this.initialise(options.init);
  }

  /** Master at vector 0x20, slave at 0x28 behind IR2; 8086 mode, normal EOI. */
  initialise({ icw1 = 0x11, master = 0x01, slave = 0x01 }: InitOptions = {}): void {
    this.out(MASTER, icw1);
    this.out(MASTER + 1, 0x20);
    this.out(MASTER + 1, 0x04);
    this.out(MASTER + 1, master);
    this.out(SLAVE, icw1);
    this.out(SLAVE + 1, 0x28);
    this.out(SLAVE + 1, 0x02);
    this.out(SLAVE + 1, slave);
  }

  out(port: number, ...values: number[]): void {
    for (const value of values) this.portWrite(port, value);
  }

  /** Interrupt request register of a chip. */
  irr(chip: number): number {
    this.out(chip, 0x0a);
    return this.portRead(chip);
  }

  /** In-service register of a chip. */
  isr(chip: number): number {
    this.out(chip, 0x0b);
    return this.portRead(chip);
  }

  /** The line of an IRQ goes up and stays up. */
  raise(...irqs: number[]): void {
    for (const irq of irqs) this.setLine(irq, 1);
  }

  lower(...irqs: number[]): void {
    for (const irq of irqs) this.setLine(irq, 0);
  }

  get intr(): number {
    return this.machine.chipset.pic.pair.intr;
  }

  /** Vectors of acknowledge cycles for as long as INTR is high, each ended by `end`. */
  serve(end: (vector: number) => void): number[] {
    const vectors: number[] = [];
    while (this.intr && vectors.length < 32) {
      const vector = this.acknowledgeInterrupt();
      vectors.push(vector);
      end(vector);
    }
    return vectors;
  }
}
