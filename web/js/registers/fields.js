// @ts-check
import { h } from '../kit/dom.js';
import { show } from './cell.js';

/** Names with values. */
export class Fields {
  /** @type {Map<string, HTMLElement>} */
  #values = new Map();

  constructor() {
    this.element = h('dl', { class: 'fields' });
  }

  clear() {
    this.#values.clear();
    this.element.replaceChildren();
  }

  /** @param {{ [name: string]: string }} fields */
  show(fields) {
    for (const [name, text] of Object.entries(fields)) {
      let value = this.#values.get(name);
      if (!value) {
        value = h('dd');
        this.#values.set(name, value);
        this.element.append(h('div', {}, h('dt', {}, name), value));
      }
      show(value, text);
    }
  }
}
