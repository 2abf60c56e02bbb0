/** Numbers on the wire: addresses and register values as hexadecimal strings, times as decimal ones. */

export const HEX_PATTERN = '^0x[0-9a-fA-F]{1,16}$';
export const DECIMAL_PATTERN = '^(0|[1-9][0-9]{0,15})$';

/** The low 32 bits of a string that matches HEX_PATTERN. */
export function lowOf(hex: string): number {
  return Number.parseInt(hex.slice(Math.max(2, hex.length - 8)), 16);
}

/** Bits 63:32 of a string that matches HEX_PATTERN. */
export function highOf(hex: string): number {
  return hex.length <= 10 ? 0 : Number.parseInt(hex.slice(2, -8), 16);
}

/** A value of `size` bytes: 2 × size digits. */
export function formatValue(low: number, high: number, size: number): string {
  if (size <= 4) return `0x${low.toString(16).padStart(2 * size, '0')}`;
  return `0x${high.toString(16).padStart(8, '0')}${low.toString(16).padStart(8, '0')}`;
}

export function formatAddress(address: number): string {
  return `0x${address.toString(16).padStart(8, '0')}`;
}
