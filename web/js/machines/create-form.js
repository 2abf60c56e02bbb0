// @ts-check
import { h, say } from '../kit/dom.js';
import { sentence } from '../server.js';

/** Presets with their class and what is known of them, as the README lists them. */
const PRESETS = {
  'lockless-timer': 'safe: mutex, then BQL, everywhere',
  bql: 'safe: everything contends on the big lock',
  'lockless-irq': 'safe: no vCPU ever takes the big lock',
  'lockless-timer+irq': 'safe: options 1 and 2 together',
  'drop-reacquire': 'safe: lets the BQL go inside the callback',
  'deferred-revalidated': 'safe: deferred, levels read again',
  'deferred-irq': 'stale: line changes come late',
  'kick-and-drain': 'callbacks run on vCPU threads',
  'try-queue': 'a line change is queued if the router is busy',
  'legacy-race': 'unsafe: callback and access race',
  'nested-mutex': 'unsafe: AB-BA deadlock',
};

/** Makes a machine. */
export class CreateForm {
  /**
   * @param {import('../server.js').Server} server
   * @param {(name: string) => Promise<void>} onCreated
   */
  constructor(server, onCreated) {
    this.server = server;
    this.onCreated = onCreated;
    this.name = h('input', { type: 'text', required: true, autocomplete: 'off', spellcheck: 'false', maxlength: 63 });
    this.locking = h(
      'select',
      { 'aria-describedby': 'preset-note' },
      ...Object.keys(PRESETS).map((preset) => h('option', {}, preset)),
    );
    this.vcpus = h('input', { type: 'number', min: 1, max: 64, value: 4, required: true });
    this.note = h('p', { class: 'note', id: 'preset-note' });
    this.problem = h('p', { class: 'problem', role: 'alert', hidden: true });
    this.locking.addEventListener('change', () => this.#describe());
    this.element = h(
      'form',
      { class: 'create', 'aria-label': 'New machine' },
      h('label', {}, 'Name', this.name),
      h('label', {}, 'Locking design', this.locking),
      h('label', {}, 'vCPUs', this.vcpus),
      this.note,
      this.problem,
      h('button', { class: 'primary' }, 'Create'),
    );
    this.element.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#create();
    });
    this.#describe();
  }

  #describe() {
    say(this.note, PRESETS[/** @type {keyof typeof PRESETS} */ (this.locking.value)]);
  }

  async #create() {
    const name = this.name.value.trim();
    const body = { name, locking: this.locking.value, vcpus: this.vcpus.valueAsNumber };
    try {
      await this.server.request('POST', '/v1/machines', body);
    } catch (error) {
      this.problem.hidden = false;
      say(this.problem, sentence(error));
      return;
    }
    this.problem.hidden = true;
    this.name.value = '';
    await this.onCreated(name);
  }
}
