// @ts-check
import { h, say } from '../kit/dom.js';
import { pathOf, sentence } from '../server.js';

/** How much, and how, the main loop works under the BQL for other things. Changes hold at once. */
export class BqlLoad {
  #name = '';
  #isSending = false;
  #isWanted = false;
  #isChosen = false;

  /** @param {import('../server.js').Server} server */
  constructor(server) {
    this.server = server;
    this.duty = h('input', { type: 'range', id: 'bql-duty', min: 0, max: 95, step: 5, value: 0 });
    this.output = h('output', { for: 'bql-duty', class: 'mono' }, '0 %');
    this.hold = h('input', { type: 'number', id: 'bql-hold', min: 1, max: 999_999, step: 50, value: 500 });
    this.mode = h(
      'select',
      { id: 'bql-mode' },
      h('option', { value: 'sleep' }, 'sleeping'),
      h('option', { value: 'burn' }, 'burning a core'),
    );
    this.problem = h('p', { class: 'problem', role: 'alert' });
    this.element = h(
      'section',
      { class: 'panel bql-load', 'aria-label': 'BQL load' },
      h('label', { for: 'bql-duty' }, 'BQL held by other work'),
      this.duty,
      this.output,
      h('span', { class: 'choice' }, h('label', { for: 'bql-hold' }, 'each time'), this.hold, 'µs'),
      h('span', { class: 'choice' }, h('label', { for: 'bql-mode' }, 'meanwhile'), this.mode),
      this.problem,
    );
    this.duty.addEventListener('input', () => this.#changed());
    this.hold.addEventListener('change', () => this.#changed());
    this.mode.addEventListener('change', () => this.#changed());
  }

  /** @param {string} name */
  async show(name) {
    this.#name = name;
    this.#isChosen = false;
    say(this.problem, '');
    try {
      const { duty, hold, mode } = await this.server.get(name, '/bql/load');
      // What somebody chose meanwhile is newer.
      if (name !== this.#name || this.#isChosen) return;
      this.duty.value = String(duty * 100);
      this.hold.value = String(Number(hold) / 1000);
      this.mode.value = mode;
      this.#show();
    } catch (error) {
      say(this.problem, sentence(error));
    }
  }

  #show() {
    say(this.output, `${this.duty.value} %`);
  }

  /** One request at a time; what was chosen meanwhile goes after it. */
  async #changed() {
    this.#show();
    this.#isChosen = true;
    this.#isWanted = true;
    if (this.#isSending) return;
    this.#isSending = true;
    while (this.#isWanted) {
      this.#isWanted = false;
      const hold = String(Math.round((this.hold.valueAsNumber || 500) * 1000));
      const load = { duty: this.duty.valueAsNumber / 100, hold, mode: this.mode.value };
      try {
        await this.server.request('PUT', pathOf(this.#name, '/bql/load'), load);
        say(this.problem, '');
      } catch (error) {
        say(this.problem, sentence(error));
      }
    }
    this.#isSending = false;
  }
}
