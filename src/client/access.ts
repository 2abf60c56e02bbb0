import type { Access } from '../protocol/client-message.js';
import type { Halves } from './pending.js';
import { RequestError } from './request-error.js';

/** One access of a batch: `value` makes it a write. Values of 8 bytes are bigints, others numbers. */
export interface BatchAccess {
  readonly address: number;
  /** 1, 2, 4 or 8 bytes. */
  readonly size: number;
  readonly value?: number | bigint;
}

const WORD = 2 ** 32;

/**
 * The wire's form of an access; with a value it is a write. Emulators have addresses and values as signed 32-bit numbers:
 * negative ones are taken as two's complement. Throws `bad-address` and `value-too-wide`.
 */
export function access(address: number, size: number, value?: number | bigint): Access {
  const unsigned = unsignedAddress(address);
  if (value === undefined) return { write: false, posted: false, address: unsigned, size, low: 0, high: 0 };
  const [low, high] = halvesOf(value, size);
  return { write: true, posted: false, address: unsigned, size, low, high };
}

function unsignedAddress(address: number): number {
  const unsigned = address < 0 ? address + WORD : address;
  if (Number.isSafeInteger(unsigned) && unsigned >= 0) return unsigned;
  throw new RequestError('bad-address', `${address} is not an address; give a whole number such as 0xfed000f0.`, {
    address: String(address),
  });
}

function halvesOf(value: number | bigint, size: number): [low: number, high: number] {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw tooWide(value, size);
  if (typeof value === 'number' && value >= 0) return [value % WORD, Math.floor(value / WORD)];
  const whole = BigInt(value);
  const bits = Math.max(8, 8 * size);
  const own = whole < 0n ? BigInt.asUintN(bits, whole) : whole;
  if (whole < 0n && whole < -(1n << BigInt(bits - 1))) throw tooWide(value, size);
  if (own >> 64n !== 0n) throw tooWide(value, size);
  return [Number(own & 0xffffffffn), Number(own >> 32n)];
}

function tooWide(value: number | bigint, size: number): RequestError {
  const message = `The value ${value} is not a whole number of ${size} bytes; use a wider access or a smaller value.`;
  return new RequestError('value-too-wide', message, { value: String(value), size });
}

/** A number, or a bigint of 8 bytes. */
export function valueFrom({ low, high }: Halves, size: number): number | bigint {
  return size === 8 ? (BigInt(high) << 32n) | BigInt(low) : low;
}

/** What becomes of accesses to addresses that no device has: refused, or all ones read and writes ignored, as on a bus. */
export type Unassigned = 'error' | 'ones';

/** Whether an error stands for an access that reads all ones, or is ignored. */
export function isIgnored(error: unknown, unassigned: Unassigned | undefined): boolean {
  return unassigned === 'ones' && error instanceof RequestError && error.code === 'address-unassigned';
}

export function allOnes(size: number): Halves {
  return { low: size < 4 ? 2 ** (8 * size) - 1 : 0xffffffff, high: size < 8 ? 0 : 0xffffffff };
}
