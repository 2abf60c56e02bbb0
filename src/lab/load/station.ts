import type { Vcpu } from '../../client/index.js';
import type { Random } from './random.js';
import { comparatorOf, configurationOf } from './registers.js';

const FIRST_VECTOR = 0x40;
const OTHER_VECTORS = 0x60;

/** vCPUs of one machine, each with a pin (GSI 0 acts on pin 2, so it is left out) and two vectors of its own. */
export const STATIONS_PER_MACHINE = 16;

/** Whose a vector is. */
export function ownerOf(vector: number): number {
  return (vector - FIRST_VECTOR) % (OTHER_VECTORS - FIRST_VECTOR);
}

/** What one vCPU of a load works with: a connection, a timer, a pin of the IOAPIC and two vectors. */
export class Station {
  accesses = 0;
  operations = 0;
  vcpu!: Vcpu;
  /** By how much longer than usual a timer is armed for, where accesses take long. */
  lead = 1;
  /** Interrupts with a vector of this station that have arrived, and that nobody has taken. */
  #arrived = 0;
  /** Those that the IRQ stream has told of, and that have not arrived: where they go to, by sequence number. */
  readonly #onTheirWay = new Map<number, Station>();
  #wake: (() => void) | undefined;

  constructor(
    readonly index: number,
    readonly pin: number,
    readonly random: Random,
  ) {}

  get vector(): number {
    return FIRST_VECTOR + this.index;
  }

  get otherVector(): number {
    return OTHER_VECTORS + this.index;
  }

  /** Addresses of this vCPU's timer. */
  get configuration(): number {
    return configurationOf(this.index);
  }

  get comparator(): number {
    return comparatorOf(this.index);
  }

  // Interrupts

  /** The IRQ stream told of an interrupt, which `destination` has not received yet. */
  announce(sequence: number, destination: Station): void {
    this.#onTheirWay.set(sequence, destination);
    this.#wake?.();
  }

  arrive(sequence: number): void {
    this.#onTheirWay.delete(sequence);
    this.#arrived++;
    this.#wake?.();
  }

  /** Takes what has arrived, at most `limit`; returns how many. */
  take(limit = Number.POSITIVE_INFINITY): number {
    const taken = Math.min(limit, this.#arrived);
    this.#arrived -= taken;
    return taken;
  }

  /**
   * Takes the next interrupt: true. False if it was lost on its way, which the ledger will show; undefined if within
   * `ms` milliseconds none arrives, and none is told of.
   */
  async next(ms: number): Promise<boolean | undefined> {
    const end = performance.now() + ms;
    for (;;) {
      if (this.take(1) > 0) return true;
      const [onItsWay] = this.#onTheirWay;
      if (onItsWay) {
        // The server gave it to the vCPU's connection when it told of it: it comes before this reply or never.
        const [sequence, { vcpu }] = onItsWay;
        await vcpu.sync();
        if (this.#onTheirWay.delete(sequence)) return false;
      } else if (!(await this.#change(end - performance.now()))) return undefined;
    }
  }

  /** Waits until something arrives or is told of; false if nothing does. */
  #change(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (changed: boolean) => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve(changed);
      };
      const timer = setTimeout(finish, Math.max(0, ms), false);
      this.#wake = () => finish(true);
    });
  }

  // Accesses

  read(address: number, size: 8): Promise<bigint>;
  read(address: number, size: number): Promise<number | bigint>;
  read(address: number, size: number): Promise<bigint | number> {
    this.accesses++;
    return this.vcpu.read(address, size);
  }

  write(address: number, size: number, value: number | bigint): Promise<void> {
    this.accesses++;
    return this.vcpu.write(address, size, value);
  }

  post(address: number, size: number, value: number | bigint): void {
    this.accesses++;
    this.vcpu.post(address, size, value);
  }
}
