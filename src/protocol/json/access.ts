import { SouthbridgeError } from '../../errors.js';
import type { Access } from '../client-message.js';
import { formatAddress, formatValue, highOf, lowOf } from '../values.js';

/** An access as a client words it; schema: `schemas.ts`. */
export interface AccessRequest {
  readonly type: 'read' | 'write';
  readonly address: string;
  readonly size: number;
  readonly value?: string;
  readonly posted?: boolean;
}

/** Throws `unknown-key`, `bad-value`, or `address-unassigned` for what has more than 53 bits. */
export function parseAccess({ type, address: text, size, value, posted }: AccessRequest): Access {
  const address = Number(text);
  if (!Number.isSafeInteger(address)) throw new SouthbridgeError('address-unassigned', { address: text, size });
  if (type === 'read') {
    const key = value !== undefined ? 'value' : posted !== undefined ? 'posted' : undefined;
    if (key) throw new SouthbridgeError('unknown-key', { key, allowed: 'type, address, size (of a read)' });
    return { write: false, posted: false, address, size, low: 0, high: 0 };
  }
  if (value === undefined) {
    throw new SouthbridgeError('bad-value', { key: 'value', expected: 'given for a write, such as "0x1"' });
  }
  return { write: true, posted: posted === true, address, size, low: lowOf(value), high: highOf(value) };
}

/** The words of an access. A value that is too wide for its size is for the server to refuse. */
export function accessRequest({ write, posted, address, size, low, high }: Access): AccessRequest {
  if (!write) return { type: 'read', address: formatAddress(address), size };
  const value = formatValue(low, high, high === 0 ? 4 : 8);
  return { type: 'write', address: formatAddress(address), size, value, ...(posted && { posted }) };
}
