import { HPET_BASE, HPET_SIZE } from '../devices/hpet/registers.js';
import { IOAPIC_BASE, IOAPIC_SIZE } from '../devices/ioapic/registers.js';
import { SouthbridgeError } from '../errors.js';
import { highOf, lowOf } from './values.js';

/** One MMIO access, checked. */
export interface Access {
  readonly write: boolean;
  readonly address: number;
  /** 1, 2, 4 or 8 bytes. */
  readonly size: number;
  /** Halves of the value to be written. */
  readonly low: number;
  readonly high: number;
}

/** An access as a client words it; schema: `messages.ts`. */
export interface AccessRequest {
  readonly type: 'read' | 'write';
  readonly address: string;
  readonly size: number;
  readonly value?: string;
}

/** Checks what a schema cannot say. Throws `address-unassigned`, `value-too-wide`, `bad-value` or `unknown-key`. */
export function accessOf({ type, address: text, size, value }: AccessRequest): Access {
  const address = Number(text);
  if (!isAssigned(address, size)) throw new SouthbridgeError('address-unassigned', { address: text, size });
  if (type === 'read') {
    if (value !== undefined) {
      throw new SouthbridgeError('unknown-key', { key: 'value', allowed: 'type, address, size (of a read)' });
    }
    return { write: false, address, size, low: 0, high: 0 };
  }
  if (value === undefined) {
    throw new SouthbridgeError('bad-value', { key: 'value', expected: 'given for a write, such as "0x1"' });
  }
  const low = lowOf(value);
  const high = highOf(value);
  if (size < 8 && (high !== 0 || low >= 2 ** (8 * size))) throw new SouthbridgeError('value-too-wide', { value, size });
  return { write: true, address, size, low, high };
}

function isAssigned(address: number, size: number): boolean {
  return lies(address, size, HPET_BASE, HPET_SIZE) || lies(address, size, IOAPIC_BASE, IOAPIC_SIZE);
}

function lies(address: number, size: number, base: number, length: number): boolean {
  return address >= base && address + size <= base + length;
}
