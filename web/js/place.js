// @ts-check
export const VIEWS = /** @type {const} */ (['locks', 'registers', 'interrupts']);
/** @typedef {typeof VIEWS[number]} View */

/** Where the page is: `#<machine>/<view>`. @returns {{ machine: string | undefined, view: View }} */
export function place() {
  const [machine, view] = location.hash.slice(1).split('/').map(decodeURIComponent);
  return { machine: machine || undefined, view: VIEWS.find((known) => known === view) ?? 'locks' };
}

/** @param {string} machine @param {View} [view] */
export function placeOf(machine, view = place().view) {
  return `#${encodeURIComponent(machine)}/${view}`;
}
