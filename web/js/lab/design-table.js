// @ts-check
import { h, head, panel, say } from '../kit/dom.js';

/**
 * @typedef {{ design: string, preset: string | null, axes: string, predicted: string, explored: string, scope: string,
 *   findings: string, shortest: string, replay: string | null }} Design
 */

/** All presets and combinations, with their verdict and its scope. */
export class DesignTable {
  /** @type {Design[]} */
  #designs = [];

  /** @param {(design: string) => void} onChoose */
  constructor(onChoose) {
    this.onChoose = onChoose;
    this.filter = h('input', {
      type: 'search',
      placeholder: 'Filter by name, axis or verdict',
      'aria-label': 'Filter designs',
      oninput: () => this.#draw(),
    });
    this.count = h('span', { class: 'note', role: 'status' });
    this.body = h('tbody');
    this.command = h('code');
    const columns = [
      'design',
      'axes: mmio/timer/irq/control',
      'explored',
      'predicted',
      'scope',
      'findings',
      'shortest counterexample',
    ];
    this.element = panel(
      'All designs',
      '',
      h(
        'div',
        { class: 'body controls' },
        this.filter,
        this.count,
        h(
          'span',
          { class: 'note' },
          'Stored results of ',
          this.command,
          ', ',
          h('a', { href: '/docs/designs' }, 'explained here'),
          '.',
        ),
      ),
      h(
        'div',
        { class: 'scroll designs', tabindex: 0, role: 'region', 'aria-label': 'Table of designs' },
        h('table', {}, head(columns), this.body),
      ),
    );
  }

  /** @param {Design[]} designs @param {string} command */
  show(designs, command) {
    this.#designs = designs;
    say(this.command, command);
    this.#draw();
  }

  #draw() {
    const words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const matching = this.#designs.filter((each) => {
      const text = `${each.design} ${each.axes} ${each.explored} ${each.findings}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    say(this.count, `${matching.length} of ${this.#designs.length} designs.`);
    this.body.replaceChildren(...matching.map((design) => this.#row(design)));
  }

  /** @param {Design} design */
  #row({ design, preset, axes, predicted, explored, scope, findings, shortest }) {
    const choose = h('button', { type: 'button', class: 'link', onclick: () => this.onChoose(design) }, design);
    return h(
      'tr',
      {},
      h('th', { scope: 'row' }, choose),
      h('td', {}, preset === null ? '' : axes),
      h('td', {}, h('span', { class: `badge ${CLASSES[explored] ?? 'unknown'}` }, explored)),
      ...[predicted, scope, findings, shortest].map((text) => h('td', {}, text)),
    );
  }
}

/** The class of a verdict, which has its colour. @type {{ [verdict: string]: string }} */
const CLASSES = { safe: 'safe', stale: 'stale', race: 'unsafe', deadlock: 'unsafe' };
