// @ts-check
/**
 * A figure with three digits and a suffix: 1234567 is 1.23 M.
 * @param {number} value
 */
export function short(value) {
  const size = Math.abs(value);
  if (size >= 1e6) return `${digits(value / 1e6)} M`;
  if (size >= 1e4) return `${digits(value / 1e3)} k`;
  return digits(value);
}

/** @param {number} value */
function digits(value) {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 100) return value.toFixed(0);
  return size >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/**
 * A time with its unit.
 * @param {number} ns
 */
export function time(ns) {
  if (ns >= 1e9) return `${digits(ns / 1e9)} s`;
  if (ns >= 1e6) return `${digits(ns / 1e6)} ms`;
  if (ns >= 1e3) return `${digits(ns / 1e3)} µs`;
  return `${Math.round(ns)} ns`;
}

/** @param {number} share 0 to 1 */
export function percent(share) {
  if (share === 0) return '0 %';
  if (share < 0.001) return '<0.1 %';
  return share < 0.1 ? `${(share * 100).toFixed(1)} %` : `${Math.round(share * 100)} %`;
}

/** @param {number} value @param {number} [width] */
export function hex(value, width = 2) {
  return `0x${value.toString(16).padStart(width, '0')}`;
}

/**
 * Groups of three digits, which are easier to read.
 * @param {number | string} value
 */
export function grouped(value) {
  return String(value).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}
