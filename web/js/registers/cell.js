// @ts-check
const HIGHLIGHT_MS = 1500;
/** @type {WeakMap<Element, ReturnType<typeof setTimeout>>} */
const timers = new WeakMap();

/**
 * Shows a value, and marks it for a moment if it is another one than before.
 * @param {HTMLElement} cell
 * @param {string} text
 */
export function show(cell, text) {
  const before = cell.textContent;
  if (before === text) return;
  cell.textContent = text;
  if (before === '') return;
  cell.classList.add('changed');
  clearTimeout(timers.get(cell));
  timers.set(
    cell,
    setTimeout(() => cell.classList.remove('changed'), HIGHLIGHT_MS),
  );
}

/** @param {boolean} value */
export function bit(value) {
  return value ? '1' : '0';
}

/** Numbers as ranges: 2, 8, 16–23. @param {number[]} numbers */
export function ranges(numbers) {
  /** @type {[number, number][]} */
  const found = [];
  for (const number of numbers) {
    const last = found.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else found.push([number, number]);
  }
  return found.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(', ') || 'none';
}
