// @ts-check
export const VIEWS = /** @type {const} */ (['locks', 'registers', 'interrupts']);
/** @typedef {typeof VIEWS[number]} View */

/** Views of no machine: `#/designs`, `#/cluster`, with what is chosen in them behind a question mark. */
export const LABS = /** @type {const} */ (['designs', 'compare', 'cluster']);
/** @typedef {typeof LABS[number]} Lab */

/**
 * Where the page is: `#<machine>/<view>`, or in the lab `#/<lab>?<choices>`.
 * @returns {{ machine: string | undefined, view: View, lab: Lab | undefined, choices: URLSearchParams }}
 */
export function place() {
  const [path, choices] = location.hash.slice(1).split('?', 2);
  const [machine, view] = path.split('/').map(decodeURIComponent);
  return {
    machine: machine || undefined,
    view: VIEWS.find((known) => known === view) ?? 'locks',
    lab: machine === '' ? LABS.find((known) => known === view) : undefined,
    choices: new URLSearchParams(choices),
  };
}

/** @param {string} machine @param {View} [view] */
export function placeOf(machine, view = place().view) {
  return `#${encodeURIComponent(machine)}/${view}`;
}

/** @param {Lab} lab @param {{ [name: string]: string }} [choices] */
export function labPlace(lab, choices = {}) {
  const query = new URLSearchParams(choices).toString();
  return query === '' ? `#/${lab}` : `#/${lab}?${query}`;
}

/** Changes the choices in the address, without an entry in the history. @param {Lab} lab @param {{ [name: string]: string }} choices */
export function keepChoices(lab, choices) {
  history.replaceState(null, '', labPlace(lab, choices));
}
