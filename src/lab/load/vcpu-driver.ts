import type { Vcpu } from '../../client/index.js';
import type { Random } from '../random.js';
import { comparatorOf, configurationOf } from './registers.js';

const FIRST_VECTOR = 0x40;
const OTHER_VECTORS = 0x60;

/** vCPUs of one machine, each with a pin (GSI 0 acts on pin 2, so it is left out) and two vectors of its own. */
export const VCPUS_PER_MACHINE = 16;

/** Index of the vCPU that owns a vector. */
export function ownerOf(vector: number): number {
  return (vector - FIRST_VECTOR) % (OTHER_VECTORS - FIRST_VECTOR);
}

/** Drives one vCPU of a load: its connection, timer, IOAPIC pin and two vectors. */
export class VcpuDriver {
  accesses = 0;
  operations = 0;
  vcpu!: Vcpu;
  /** Factor on the time for which a timer is armed; it grows while accesses are slow. */
  lead = 1;
  /** Interrupts with a vector of this driver that have arrived and that `take` has not consumed. */
  #arrived = 0;
  /** Interrupts that the IRQ stream has reported and that have not arrived: destination by sequence number. */
  readonly #inFlight = new Map<number, VcpuDriver>();
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

  /** The IRQ stream reported an interrupt that `destination` has not received yet. */
  announce(sequence: number, destination: VcpuDriver): void {
    this.#inFlight.set(sequence, destination);
    this.#wake?.();
  }

  arrive(sequence: number): void {
    this.#inFlight.delete(sequence);
    this.#arrived++;
    this.#wake?.();
  }

  /** Consumes the arrived interrupts, at most `limit`; returns their number. */
  take(limit = Number.POSITIVE_INFINITY): number {
    const taken = Math.min(limit, this.#arrived);
    this.#arrived -= taken;
    return taken;
  }

  /**
   * Consumes the next interrupt and returns true. Returns false if it was lost between server and vCPU (the ledger shows
   * that), and undefined if within `ms` milliseconds no interrupt arrives or is reported.
   */
  async next(ms: number): Promise<boolean | undefined> {
    const end = performance.now() + ms;
    for (;;) {
      if (this.take(1) > 0) return true;
      const [inFlight] = this.#inFlight;
      if (inFlight) {
        // The server queued the interrupt on the vCPU's connection when it reported it: it arrives before this reply or never.
        const [sequence, { vcpu }] = inFlight;
        await vcpu.sync();
        if (this.#inFlight.delete(sequence)) return false;
      } else if (!(await this.#change(end - performance.now()))) return undefined;
    }
  }

  /** Waits until an interrupt arrives or is reported; false after `ms` milliseconds without one. */
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
