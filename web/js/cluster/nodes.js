// @ts-check
import { h, head, panel, say } from '../kit/dom.js';
import { percent, time } from '../kit/format.js';

/** Classes of the badges of base.css. @type {{ [state: string]: string }} */
const BADGES = { open: 'running', late: 'stale', drains: 'paused', gone: 'unsafe' };

/** Nodes with and without a lease. A row stays the same element, so that its button keeps the focus. */
export class NodeTable {
  /** @type {Map<string, Row>} */
  #rows = new Map();

  /** @param {(node: string) => void} onDrain */
  constructor(onDrain) {
    this.onDrain = onDrain;
    this.body = h('tbody');
    const columns = ['node', 'state', 'lease', 'machines', 'room', 'load', 'address', 'drain'];
    this.element = panel(
      'Nodes',
      'as the node that serves this page has seen them',
      h(
        'div',
        { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Table of nodes' },
        h('table', {}, head(columns), this.body),
      ),
    );
  }

  /**
   * @param {any[]} nodes with open leases
   * @param {any[]} gone
   */
  show(nodes, gone) {
    const all = [...nodes, ...gone];
    const known = new Set(all.map(({ node }) => node));
    for (const [node, row] of this.#rows) {
      if (known.has(node)) continue;
      row.element.remove();
      this.#rows.delete(node);
    }
    for (const [index, each] of all.entries()) {
      const row = this.#rows.get(each.node) ?? new Row(each.node, this.onDrain);
      this.#rows.set(each.node, row);
      row.show(each);
      const there = this.body.children[index];
      if (there !== row.element) this.body.insertBefore(row.element, there ?? null);
    }
  }
}

class Row {
  /** @param {string} node @param {(node: string) => void} onDrain */
  constructor(node, onDrain) {
    this.badge = h('span', { class: 'badge' });
    this.cells = Array.from({ length: 5 }, () => h('td'));
    this.button = h(
      'button',
      { type: 'button', class: 'danger', 'aria-label': `Drain ${node}`, onclick: () => onDrain(node) },
      'Drain',
    );
    this.element = h(
      'tr',
      {},
      h('th', { scope: 'row' }, node),
      h('td', {}, this.badge),
      ...this.cells,
      h('td', {}, this.button),
    );
  }

  /** @param {any} node */
  show({ state = 'gone', draining, leaseMs, goneMs, machines, room, load, address }) {
    const shown = draining && state === 'open' ? 'drains' : state;
    say(this.badge, shown);
    this.badge.className = `badge ${BADGES[shown]}`;
    const texts =
      state === 'gone'
        ? [`closed ${time(goneMs * 1e6)} ago`, '', '', '', address]
        : [`ends in ${time(leaseMs * 1e6)}`, machines, room, percent(load), address];
    for (const [index, cell] of this.cells.entries()) say(cell, texts[index]);
    this.button.hidden = state === 'gone';
  }
}
