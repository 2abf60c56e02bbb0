import type { Area } from '../memory/layout.js';
import { HPET_AREA, IOAPIC_AREA, PIC_AREA, ROUTER_AREA } from '../memory/map.js';
import { MMIO_READ } from '../sync/call-sites.js';
import type { Machine } from './machine.js';

/** What can be looked at as a whole. */
export const VIEW_HPET = 1;
export const VIEW_INTERRUPT_CONTROLLERS = 2;

const CONTROLLER_AREAS = [ROUTER_AREA, IOAPIC_AREA, PIC_AREA];

/**
 * Copies the state of one part of a machine, as it is at one moment, to the absolute word address `to`; offsets are
 * those of the machine's memory. Nothing of the guest's view changes, not even the IOAPIC's select register. The
 * machine's value becomes the virtual time.
 */
export function copyState(machine: Machine, view: number, to: number): void {
  const { chipset } = machine;
  machine.locks.site = MMIO_READ;
  if (view === VIEW_HPET) {
    chipset.withHpet(() => {
      chipset.hpet.settleUnobserved();
      copyArea(machine, HPET_AREA, to);
      machine.value.setNumber(machine.clock.now());
    });
  } else {
    chipset.withInterruptControllers(() => {
      for (const area of CONTROLLER_AREAS) copyArea(machine, area, to);
      machine.value.setNumber(machine.clock.now());
    });
  }
}

/** The same of a machine that is stopped, without its locks: threads that hang or died may hold them. */
export function copyStopped(machine: Machine, view: number, to: number): void {
  for (const area of view === VIEW_HPET ? [HPET_AREA] : CONTROLLER_AREAS) copyArea(machine, area, to);
}

function copyArea(machine: Machine, area: Area, to: number): void {
  const { memory, thread } = machine;
  for (const address of area.addresses()) {
    const value = area.field(address)?.protection === 'sync' ? memory.load(address) : memory.get(address);
    thread.shared.set(to + address, value);
  }
}
