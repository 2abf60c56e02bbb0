// @ts-check
import { h, head, panel, svg } from '../kit/dom.js';

const LOCKS = ['bql', 'device', 'router', 'ioapic', 'pic', 'timers'];
const WIDTH = 446;
const STEP = 76;
const LEFT = 32;
const MIDDLE = 112;
/** Half of a lock's box. */
const HALF = { width: 29, height: 10 };

/** @typedef {{ outer: string, inner: string, site: string, thread: string }} Edge */
/** @typedef {{ at: number, outer: string, inner: string, site: string, against: Edge[] }} Inversion */

/**
 * In which orders locks were taken, as arcs from the outer to the inner: above the line in the order of the locks,
 * below it against that. What could deadlock is red.
 */
export class OrderGraph {
  #drawn = '';

  constructor() {
    this.drawing = svg('svg', { viewBox: `0 0 ${WIDTH} 176`, class: 'order', role: 'img' });
    this.body = h('tbody');
    this.details = h(
      'details',
      {},
      h('summary', {}, 'As a table'),
      h(
        'div',
        { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Table of lock orders' },
        h('table', {}, head(['outer', 'inner', 'first at', 'by', '']), this.body),
      ),
    );
    this.element = panel(
      'Lock order',
      'Each order in which two locks were ever taken; red: orders that contradict each other.',
      h('div', { class: 'body' }, this.drawing, this.details),
    );
  }

  clear() {
    this.#drawn = '';
    this.show({ edges: [], inversions: [] });
  }

  /** @param {{ edges: Edge[], inversions: Inversion[] }} order */
  show({ edges, inversions }) {
    const key = JSON.stringify([edges, inversions.length]);
    if (key === this.#drawn) return;
    this.#drawn = key;
    const bad = new Set(inversions.flatMap(({ outer, inner, against }) => [{ outer, inner }, ...against].map(nameOf)));
    const isBad = (/** @type {Edge} */ edge) => bad.has(nameOf(edge));
    this.drawing.setAttribute('aria-label', labelOf(edges, bad.size));
    this.drawing.replaceChildren(
      ...edges.map((edge) => arc(edge, isBad(edge))),
      ...LOCKS.map((lock, place) =>
        node(
          lock,
          place,
          edges.some((edge) => isBad(edge) && endsAt(edge, lock)),
        ),
      ),
    );
    this.body.replaceChildren(
      ...edges.map((edge) =>
        h(
          'tr',
          { class: isBad(edge) ? 'inverted' : undefined },
          ...[edge.outer, edge.inner, edge.site, edge.thread, isBad(edge) ? 'inverted' : ''].map((text) =>
            h('td', {}, text),
          ),
        ),
      ),
    );
  }
}

/** @param {{ outer: string, inner: string }} edge */
function nameOf({ outer, inner }) {
  return `${outer} ${inner}`;
}

/** @param {Edge} edge @param {string} lock */
function endsAt({ outer, inner }, lock) {
  return outer === lock || inner === lock;
}

/** @param {Edge[]} edges @param {number} bad */
function labelOf(edges, bad) {
  if (edges.length === 0) return 'No lock was taken under another yet';
  return `${edges.length} orders of locks, ${bad} of them contradict each other; the table below lists them`;
}

/** @param {number} place */
function x(place) {
  return LEFT + place * STEP;
}

/** @param {Edge} edge @param {boolean} isBad */
function arc({ outer, inner, site, thread }, isBad) {
  const [from, to] = [LOCKS.indexOf(outer), LOCKS.indexOf(inner)];
  const isUp = from < to;
  const span = Math.abs(to - from);
  const height = isUp ? -(12 + 21 * span) : 10 + 18 * span;
  const edge = MIDDLE + (isUp ? -HALF.height : HALF.height);
  // Beside each other, the longer outside, so that they do not cross.
  const side = Math.sign(to - from);
  const shift = (27 - 9 * span) * side;
  const [x1, x2] = [x(from) + shift, x(to) - shift];
  const tip = isUp ? -7 : 7;
  const path = `M${x1} ${edge} C${x1} ${edge + height} ${x2} ${edge + height} ${x2} ${edge + tip}`;
  const arrow = `M${x2} ${edge} l-3.4 ${tip} l6.8 0 z`;
  return svg(
    'g',
    { class: isBad ? 'edge inverted' : 'edge' },
    svg('title', {}, `${outer} → ${inner}: ${site} of ${thread}${isBad ? ', inverted' : ''}`),
    svg('path', { d: path, class: 'arc' }),
    svg('path', { d: arrow, class: 'tip' }),
  );
}

/** @param {string} lock @param {number} place @param {boolean} isBad */
function node(lock, place, isBad) {
  return svg(
    'g',
    { class: isBad ? 'lock inverted' : 'lock' },
    svg('rect', {
      x: x(place) - HALF.width,
      y: MIDDLE - HALF.height,
      width: 2 * HALF.width,
      height: 2 * HALF.height,
      rx: 3,
    }),
    svg('text', { x: x(place), y: MIDDLE + 4, 'text-anchor': 'middle' }, lock),
  );
}
