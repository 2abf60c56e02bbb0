import { IOREDTBL } from '../../src/core/devices/ioapic/registers.js';
import type { BenchMachine } from './bench-machine.js';

/** Indirect registers of the redirection entry of a pin. */
export const lowOf = (pin: number) => IOREDTBL + 2 * pin;
export const highOf = (pin: number) => IOREDTBL + 2 * pin + 1;

/** Writes both halves of an entry, the low one last. */
export function writeEntry(bench: BenchMachine, pin: number, low: number, high = 0): void {
  bench.writeIoapic(highOf(pin), high);
  bench.writeIoapic(lowOf(pin), low);
}
