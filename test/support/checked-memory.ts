import { MACHINE_AREAS, MACHINE_WORDS } from '../../src/core/memory/map.js';
import { SharedMemory } from '../../src/core/memory/shared-memory.js';

const PROTECTION = new Map(
  MACHINE_AREAS.flatMap((area) => area.addresses().map((address) => [address, area.field(address)] as const)),
);

/** A view of a machine's memory that notes each access which is not of the kind that its word is declared for. */
export class CheckedMemory extends SharedMemory {
  static readonly faults = new Set<string>();

  #check(address: number, isAtomic: boolean): void {
    if (this.base === 0 || address < 0 || address >= MACHINE_WORDS) return;
    const field = PROTECTION.get(address);
    if (field && (field.protection === 'sync') === isAtomic) return;
    const name = field?.name ?? `word ${address}, undeclared`;
    CheckedMemory.faults.add(`${name}: ${isAtomic ? 'an atomic' : 'a plain'} access`);
  }

  override get(address: number): number {
    this.#check(address, false);
    return super.get(address);
  }

  override set(address: number, value: number): void {
    this.#check(address, false);
    super.set(address, value);
  }

  override getTime(address: number): number {
    this.#check(address, false);
    return super.getTime(address);
  }

  override setTime(address: number, value: number): void {
    this.#check(address, false);
    super.setTime(address, value);
  }

  override load(address: number): number {
    this.#check(address, true);
    return super.load(address);
  }

  override store(address: number, value: number): void {
    this.#check(address, true);
    super.store(address, value);
  }

  override exchange(address: number, value: number): number {
    this.#check(address, true);
    return super.exchange(address, value);
  }

  override compareExchange(address: number, expected: number, value: number): number {
    this.#check(address, true);
    return super.compareExchange(address, expected, value);
  }

  override add(address: number, value: number): number {
    this.#check(address, true);
    return super.add(address, value);
  }

  override or(address: number, value: number): number {
    this.#check(address, true);
    return super.or(address, value);
  }
}
