import * as H from './hpet/registers.js';
import * as I from './ioapic/registers.js';

/** Where a guest finds the devices: physical addresses and I/O ports. Offsets of registers are in each device's folder. */
export const HPET_BASE = 0xfed0_0000;
export const HPET_SIZE = 0x400;
export const IOAPIC_BASE = 0xfec0_0000;
export const IOAPIC_SIZE = 0x1000;

/** Bytes of the widest access that a device takes as one: a wider one reaches it in pieces (`machine/bus.ts`). */
export const HPET_WIDTH = 8;
export const IOAPIC_WIDTH = 4;

/** Devices, as `deviceAt` names them. */
export const NO_DEVICE = 0;
export const HPET = 1;
export const IOAPIC = 2;

/** The device that decodes all of `size` bytes at a physical address, or NO_DEVICE. */
export function deviceAt(address: number, size: number): number {
  if (address >= HPET_BASE && address + size <= HPET_BASE + HPET_SIZE) return HPET;
  if (address >= IOAPIC_BASE && address + size <= IOAPIC_BASE + IOAPIC_SIZE) return IOAPIC;
  return NO_DEVICE;
}

/** HPET registers, by physical address. */
export const HPET_CONFIGURATION = HPET_BASE + H.GENERAL_CONFIGURATION;
export const HPET_STATUS = HPET_BASE + H.INTERRUPT_STATUS;
export const HPET_COUNTER = HPET_BASE + H.MAIN_COUNTER;

/** Configuration register of a timer. */
export function hpetTimer(timer: number): number {
  return HPET_BASE + H.TIMER_BLOCKS + timer * H.TIMER_BLOCK_SIZE + H.TIMER_CONFIGURATION;
}

export function hpetComparator(timer: number): number {
  return HPET_BASE + H.TIMER_BLOCKS + timer * H.TIMER_BLOCK_SIZE + H.TIMER_COMPARATOR;
}

export function hpetFsbRoute(timer: number): number {
  return HPET_BASE + H.TIMER_BLOCKS + timer * H.TIMER_BLOCK_SIZE + H.TIMER_FSB_ROUTE;
}

/** IOAPIC registers, by physical address. */
export const IOAPIC_SELECT = IOAPIC_BASE + I.IOREGSEL;
export const IOAPIC_WINDOW = IOAPIC_BASE + I.IOWIN;
export const IOAPIC_EOI = IOAPIC_BASE + I.IOEOI;

/** Number of the low half of a redirection entry for IOAPIC_SELECT; the high half follows. */
export function redirectionEntry(pin: number): number {
  return I.IOREDTBL + 2 * pin;
}

/** Ports of the 8259 pair and of its edge/level control registers, one byte each (82371AB, section 4.2.2). */
export const MASTER_COMMAND = 0x20;
export const MASTER_DATA = 0x21;
export const SLAVE_COMMAND = 0xa0;
export const SLAVE_DATA = 0xa1;
/** Bit n: IRQ n (second register: IRQ 8 + n) is level triggered. */
export const ELCR_MASTER = 0x4d0;
export const ELCR_SLAVE = 0x4d1;

/** Whether the 8259 pair decodes a port. */
export function isPicPort(port: number): boolean {
  switch (port) {
    case MASTER_COMMAND:
    case MASTER_DATA:
    case SLAVE_COMMAND:
    case SLAVE_DATA:
    case ELCR_MASTER:
    case ELCR_SLAVE:
      return true;
    default:
      return false;
  }
}
