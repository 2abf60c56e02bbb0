import type { VcpuClient } from './vcpu-client.js';

export const HPET = 0xfed00000;
export const IOAPIC = 0xfec00000;

export const GENERAL_CONFIGURATION = HPET + 0x10;
export const INTERRUPT_STATUS = HPET + 0x20;
export const MAIN_COUNTER = HPET + 0xf0;

/** HPET timer configuration. */
export const LEVEL = 1 << 1;
export const ENABLE = 1 << 2;
export const PERIODIC = 1 << 3;
export const VALUE_SET = 1 << 6;
export const FSB = 1 << 14;

/** Redirection entry. */
export const LOGICAL = 1 << 11;
export const LEVEL_TRIGGERED = 1 << 15;
export const MASKED = 1 << 16;

export function timerConfiguration(timer: number): number {
  return HPET + 0x100 + 0x20 * timer;
}

export function timerComparator(timer: number): number {
  return timerConfiguration(timer) + 8;
}

export function timerFsbRoute(timer: number): number {
  return timerConfiguration(timer) + 16;
}

/** Bits of a timer's configuration that route it to a GSI. */
export function route(gsi: number): number {
  return gsi << 9;
}

/** Writes a redirection entry, high half first. */
export async function writeEntry(client: VcpuClient, pin: number, low: number, destination: number): Promise<void> {
  await client.write(IOAPIC, 4, 0x11 + 2 * pin);
  await client.write(IOAPIC + 0x10, 4, BigInt(destination) << 24n);
  await client.write(IOAPIC, 4, 0x10 + 2 * pin);
  await client.write(IOAPIC + 0x10, 4, low);
}

/** Drives a line up and down again. */
export async function pulse(client: VcpuClient, gsi: number): Promise<void> {
  await client.request({ type: 'line', gsi, level: 1 });
  await client.request({ type: 'line', gsi, level: 0 });
}
