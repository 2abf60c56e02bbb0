import { SOURCE_EXTERNAL, SOURCE_XEN } from '../devices/gsi/sources.js';
import { deviceAt, HPET, HPET_BASE, HPET_WIDTH, IOAPIC_BASE, IOAPIC_WIDTH, NO_DEVICE } from '../devices/guest-map.js';
import { Hpet } from '../devices/hpet/hpet.js';
import { U64 } from '../memory/u64.js';
import { IRQ_UPDATE, MMIO_READ, MMIO_WRITE } from '../sync/call-sites.js';
import { BQL, IOAPIC, ROUTER } from '../sync/lock-names.js';
import { Bus } from './bus.js';
import type { Chipset } from './chipset.js';
import { CAUSE_ENTRY_WRITE, CAUSE_EOI } from './events.js';

/**
 * Path B: accesses by vCPUs, and their EOIs, acknowledge cycles and lines. The mmio axis decides how they enter the HPET,
 * the irq axis how they enter the interrupt controllers. The caller has found room for the events that one can cause.
 */
export class MmioPath {
  /** The value of the last read. */
  readonly value = new U64();
  readonly #bus = new Bus();

  constructor(readonly chipset: Chipset) {}

  /** Reads 1, 2, 4 or 8 bytes into `value`; false if no device decodes the address. */
  read(address: number, size: number): boolean {
    const { locks, thread } = this.chipset;
    locks.site = MMIO_READ;
    const device = deviceAt(address, size);
    if (device === NO_DEVICE) return false;
    thread.statistics.accessBegins(MMIO_READ, address, size);
    if (device === HPET) this.#bus.read(address - HPET_BASE, size, HPET_WIDTH, this.#readHpet, this.value);
    else this.#bus.read(address - IOAPIC_BASE, size, IOAPIC_WIDTH, this.#readIoapic, this.value);
    thread.statistics.accessEnds(MMIO_READ);
    return true;
  }

  /** Writes 1, 2, 4 or 8 bytes; writes nothing and returns false if no device decodes the address. */
  write(address: number, size: number, value: U64): boolean {
    const { chipset } = this;
    const { statistics } = chipset.thread;
    chipset.beginPath(MMIO_WRITE, CAUSE_ENTRY_WRITE);
    const device = deviceAt(address, size);
    if (device === NO_DEVICE) return false;
    statistics.accessBegins(MMIO_WRITE, address, size);
    if (device === HPET) this.#bus.write(address - HPET_BASE, size, HPET_WIDTH, this.#writeHpet, value);
    else this.#bus.write(address - IOAPIC_BASE, size, IOAPIC_WIDTH, this.#writeIoapic, value);
    statistics.accessEnds(MMIO_WRITE);
    return true;
  }

  /** Reads the main counter into `value`; the caller holds whatever locks it likes. */
  readMainCounter(): void {
    const { hpet, clock } = this.chipset;
    hpet.counter.read(this.value, clock);
  }

  // One piece of an access

  readonly #readHpet = (offset: number, size: number, result: U64): void => {
    const { chipset } = this;
    const { mmio } = chipset.design;
    const guarded = mmio.underBql || !Hpet.isMainCounter(offset, size);
    if (guarded) mmio.enter(chipset.locks);
    chipset.enterDevice();
    chipset.hpet.read(offset, size, result);
    chipset.leaveDevice();
    if (guarded) mmio.leave(chipset.locks);
  };

  readonly #writeHpet = (offset: number, size: number, value: U64): void => {
    const { chipset } = this;
    this.enterHpet();
    chipset.hpet.write(offset, size, value);
    this.leaveHpet();
  };

  readonly #readIoapic = (offset: number, size: number, result: U64): void => {
    const { chipset } = this;
    const entered = chipset.enter(IOAPIC);
    result.set(chipset.ioapic.read(offset, size), 0);
    chipset.leave(IOAPIC, entered);
  };

  readonly #writeIoapic = (offset: number, size: number, value: U64): void => {
    const { chipset } = this;
    const entered = chipset.enter(IOAPIC);
    chipset.enterDevice();
    chipset.ioapic.write(offset, size, value.lo);
    chipset.leaveDevice();
    chipset.leave(IOAPIC, entered);
  };

  /** Enters the HPET for anything that may change lines: the irq axis frames it. */
  enterHpet(): void {
    const { chipset } = this;
    chipset.design.irq.begin(chipset);
    chipset.design.mmio.enter(chipset.locks);
    chipset.enterDevice();
  }

  leaveHpet(): void {
    const { chipset } = this;
    const { mmio, irq } = chipset.design;
    chipset.leaveDevice();
    // Deferred calls run after the mutex is released, but under the BQL where this path holds it.
    if (mmio.underBql) irq.end(chipset);
    mmio.leave(chipset.locks);
    if (!mmio.underBql) irq.end(chipset);
  }

  // Ports, acknowledge cycles, EOIs and lines

  /** Reads a byte from an I/O port; undefined if no device has it. */
  portRead(port: number): number | undefined {
    const { chipset } = this;
    chipset.beginPath(MMIO_READ, CAUSE_ENTRY_WRITE);
    return chipset.pic.readPort(port);
  }

  /** Writes a byte to an I/O port; writes nothing and returns false if no device has it. */
  portWrite(port: number, value: number): boolean {
    const { chipset } = this;
    chipset.beginPath(MMIO_WRITE, CAUSE_ENTRY_WRITE);
    return chipset.pic.writePort(port, value);
  }

  /** A processor that INTR interrupts runs an acknowledge cycle (virtual wire mode): the vector. */
  acknowledgeInterrupt(): number {
    const { chipset } = this;
    chipset.beginPath(IRQ_UPDATE, CAUSE_ENTRY_WRITE);
    return chipset.pic.acknowledge();
  }

  /** A local APIC broadcasts an EOI. */
  endOfInterrupt(vector: number): void {
    const { chipset } = this;
    chipset.beginPath(IRQ_UPDATE, CAUSE_EOI);
    const entered = chipset.enter(IOAPIC);
    chipset.ioapic.endOfInterrupt(vector);
    chipset.leave(IOAPIC, entered);
  }

  /** The guest gives a local APIC another logical address. */
  setLogicalAddress(vcpu: number, address: number): void {
    const { chipset } = this;
    chipset.beginPath(IRQ_UPDATE, CAUSE_ENTRY_WRITE);
    const entered = chipset.enter(IOAPIC);
    chipset.setLogicalAddress(vcpu, address);
    chipset.leave(IOAPIC, entered);
  }

  /** A client drives a GSI (0–23) of this machine. */
  setLine(gsi: number, level: number): void {
    const { chipset } = this;
    chipset.beginPath(IRQ_UPDATE, SOURCE_EXTERNAL);
    const entered = chipset.enter(ROUTER);
    chipset.router.drive(gsi, SOURCE_EXTERNAL, level);
    chipset.leave(ROUTER, entered);
  }

  /** Xen's event channel drives its callback; false if the machine has no such filter. */
  setXenCallback(level: number): boolean {
    const { chipset } = this;
    const { xen, locks } = chipset;
    if (!xen.options) return false;
    chipset.beginPath(IRQ_UPDATE, SOURCE_XEN);
    // Where the BQL protects the controllers, this thread holds it for as long as the filter's flag is set.
    const held = !chipset.design.irq.lockless && locks.guard(BQL);
    xen.beginSetting();
    const entered = chipset.enter(ROUTER);
    xen.setCallback(level);
    chipset.leave(ROUTER, entered);
    xen.endSetting();
    locks.unguard(BQL, held);
    return true;
  }
}
