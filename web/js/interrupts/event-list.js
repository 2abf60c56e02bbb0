// @ts-check
import { h, head } from '../kit/dom.js';
import { grouped } from '../kit/format.js';

/** Rows kept on the page. */
const MOST = 100;
const COLUMNS = 6;

/** What came last, newest first. */
export class EventList {
  constructor() {
    this.body = h('tbody');
    this.element = h(
      'div',
      { class: 'scroll events', tabindex: 0, role: 'region', 'aria-label': 'Latest events' },
      h(
        'table',
        {},
        h('caption', { class: 'hidden-text' }, 'Events, newest first'),
        head([['number', 'number'], ['virtual time, s', 'number'], 'kind', 'event', 'cause', ['late', 'number']]),
        this.body,
      ),
    );
    this.clear('Connecting…');
  }

  /** @param {string} text */
  clear(text) {
    this.body.replaceChildren(h('tr', { class: 'placeholder' }, h('td', { colspan: COLUMNS, class: 'empty' }, text)));
  }

  /** @param {any[]} rows oldest first */
  add(rows) {
    if (rows.length === 0) return;
    this.body.querySelector('.placeholder')?.remove();
    const drawn = rows.slice(-MOST).map(rowOf).reverse();
    this.body.prepend(...drawn);
    while (this.body.rows.length > MOST) this.body.lastElementChild?.remove();
  }
}

/** @param {any} row */
function rowOf(row) {
  if (row.restart) return whole('restart', 'The machine was recreated: its event numbers begin again.');
  if (row.gap) {
    const count = row.to - row.from + 1;
    return whole(
      'gap',
      `gap: ${grouped(count)} ${count === 1 ? 'event is' : 'events are'} lost here, ${grouped(row.from)} to ${grouped(row.to)}`,
    );
  }
  return h(
    'tr',
    {},
    h('td', { class: 'number' }, grouped(row.sequence)),
    h('td', { class: 'number' }, row.at),
    h('td', {}, h('span', { class: `kind ${row.kind}` }, row.kind)),
    h('td', {}, row.what),
    h('td', {}, row.cause),
    h('td', { class: 'number' }, row.late),
  );
}

/** @param {string} name @param {string} text */
function whole(name, text) {
  return h('tr', { class: name }, h('td', { colspan: COLUMNS }, text));
}
