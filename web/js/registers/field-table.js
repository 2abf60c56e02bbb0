// @ts-check
import { h, head } from '../kit/dom.js';
import { show } from './cell.js';

/**
 * A row per timer, pin or chip, a column per field.
 * @template Row
 */
export class FieldTable {
  /**
   * @param {string} caption
   * @param {{ [column: string]: (row: Row) => string }} columns the first is the head of its row
   */
  constructor(caption, columns) {
    this.columns = Object.values(columns);
    this.body = h('tbody');
    this.table = h(
      'table',
      { class: 'registers' },
      h('caption', { class: 'hidden-text' }, caption),
      head(Object.keys(columns)),
      this.body,
    );
    this.element = h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption }, this.table);
  }

  clear() {
    this.body.replaceChildren();
  }

  /**
   * @param {Row[]} rows
   * @param {(row: Row) => boolean} [isQuiet] rows to be drawn paler
   */
  show(rows, isQuiet = () => false) {
    while (this.body.rows.length > rows.length) this.body.lastElementChild?.remove();
    for (const [index, row] of rows.entries()) {
      const line = this.body.rows[index] ?? this.body.appendChild(this.#line());
      line.classList.toggle('quiet', isQuiet(row));
      for (const [column, text] of this.columns.entries()) show(line.cells[column], text(row));
    }
  }

  #line() {
    const cells = this.columns.slice(1).map(() => h('td'));
    return h('tr', {}, h('th', { scope: 'row' }), ...cells);
  }
}
