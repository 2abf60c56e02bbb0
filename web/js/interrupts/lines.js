// @ts-check
import { h } from '../kit/dom.js';

/** The level of every line, as a row of lamps. */
export class Lines {
  constructor() {
    this.lamps = Array.from({ length: 32 }, (_, gsi) => h('span', { class: 'lamp', title: `GSI ${gsi}` }, gsi));
    this.element = h('div', { class: 'lines', role: 'img', 'aria-label': 'Levels of the lines' }, ...this.lamps);
  }

  /** @param {{ hpet: number, external: number } | undefined} lines */
  show(lines) {
    this.element.classList.toggle('unknown', lines === undefined);
    const up = [];
    for (const [gsi, lamp] of this.lamps.entries()) {
      const [hpet, external] = [lines?.hpet ?? 0, lines?.external ?? 0].map((word) => (word >>> gsi) & 1);
      lamp.classList.toggle('hpet', hpet === 1);
      lamp.classList.toggle('external', external === 1);
      if (hpet || external) up.push(gsi);
    }
    const text = lines === undefined ? 'unknown while a filter is set' : `up: ${up.join(', ') || 'none'}`;
    this.element.setAttribute('aria-label', `Levels of the lines, ${text}`);
  }
}
