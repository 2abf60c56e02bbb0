// @ts-check
import { h, say } from '../kit/dom.js';
import { Poller } from '../kit/poller.js';
import { placeOf } from '../place.js';
import { sentence } from '../server.js';
import { CreateForm } from './create-form.js';

/** Links drawn at a time; the filter finds the others. */
const MOST = 100;

/** States that an operator should look at, worst first. */
const TROUBLE = ['suspect', 'hung'];

/** @param {any} one @param {any} other */
function byTrouble(one, other) {
  const rank = (/** @type {any} */ { state }) => (TROUBLE.includes(state) ? TROUBLE.indexOf(state) : TROUBLE.length);
  return rank(one) - rank(other);
}

/** All machines of the server, a filter, and a form for another. Fires `changed` after each look. */
export class MachineList extends EventTarget {
  /** @type {any[]} */
  machines = [];
  /** @type {string | undefined} */
  #current;
  #drawn = '';

  /** @param {import('../server.js').Server} server */
  constructor(server) {
    super();
    this.server = server;
    this.filter = h('input', {
      type: 'search',
      placeholder: 'Filter by name or design',
      'aria-label': 'Filter machines',
    });
    this.filter.addEventListener('input', () => this.#draw());
    this.filter.addEventListener('keydown', (event) => {
      const [first] = this.#matching();
      if (event.key === 'Enter' && first) this.open(first.name);
    });
    this.links = h('ul', { class: 'machine-links' });
    this.note = h('p', { class: 'note', role: 'status' }, 'Loading…');
    this.form = new CreateForm(server, async (name) => {
      await this.refresh();
      this.open(name);
    });
    this.elements = [
      h('div', { class: 'machines-head' }, h('h2', {}, 'Machines')),
      this.filter,
      this.links,
      this.note,
      // On a narrow screen the machine comes first.
      h(
        'details',
        { class: 'making', open: !matchMedia('(max-width: 760px)').matches },
        h('summary', {}, 'New machine'),
        this.form.element,
      ),
    ];
    this.poller = new Poller(() => this.#look(), 2000);
  }

  start() {
    this.poller.start();
  }

  /** Reads the list now. Never fails: the note and the server object report it. */
  async refresh() {
    await this.#look().catch(() => {});
  }

  /** How many machines are in trouble, as in `1 hung, 2 suspect`. */
  get trouble() {
    const counts = TROUBLE.map((state) => [this.machines.filter((machine) => machine.state === state).length, state]);
    return counts
      .filter(([count]) => count !== 0)
      .map(([count, state]) => `${count} ${state}`)
      .join(', ');
  }

  async #look() {
    try {
      const { machines } = await this.server.request('GET', '/v1/machines');
      this.machines = machines.toSorted(byTrouble);
    } catch (error) {
      say(this.note, sentence(error));
      throw error;
    }
    this.#draw();
    this.dispatchEvent(new Event('changed'));
  }

  /** @param {string | undefined} name */
  mark(name) {
    this.#current = name;
    this.#draw();
  }

  /** @param {string} name */
  open(name) {
    location.hash = placeOf(name);
  }

  /** @param {string | undefined} name */
  find(name) {
    return this.machines.find((machine) => machine.name === name);
  }

  #matching() {
    const words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    return this.machines.filter((machine) => {
      const text = `${machine.name} ${designOf(machine)} ${machine.locking.class} ${machine.state}`;
      return words.every((word) => text.includes(word));
    });
  }

  #draw() {
    const matching = this.#matching();
    const shown = matching.slice(0, MOST);
    const key = JSON.stringify([this.#current, shown.map(({ name, state, locking }) => [name, state, locking])]);
    say(this.note, noteOf(this.machines.length, matching.length, shown.length));
    if (key === this.#drawn) return;
    this.#drawn = key;
    const focused = document.activeElement instanceof HTMLAnchorElement ? document.activeElement.dataset.machine : '';
    this.links.replaceChildren(...shown.map((machine) => h('li', {}, this.#link(machine))));
    if (focused) this.links.querySelector(`[data-machine="${CSS.escape(focused)}"]`)?.focus();
  }

  /** @param {any} machine */
  #link(machine) {
    const { name, state, locking } = machine;
    const badge = state === 'running' ? (locking.class ?? 'unknown') : state;
    return h(
      'a',
      { href: placeOf(name), 'data-machine': name, 'aria-current': name === this.#current ? 'page' : undefined },
      h('span', { class: 'name' }, name),
      h('span', { class: `badge ${badge}` }, badge),
      h('span', { class: 'design' }, designOf(machine)),
    );
  }
}

/** The preset, or the axes. @param {any} machine */
export function designOf({ locking: { preset, mmio, timer, irq, control } }) {
  return preset ?? [mmio, timer, irq, control].join(' / ');
}

/** @param {number} all @param {number} matching @param {number} shown */
function noteOf(all, matching, shown) {
  if (all === 0) return 'There is no machine. Make one below.';
  if (matching === 0) return 'No machine matches the filter.';
  return shown < matching ? `${shown} of ${matching} shown: filter for the others.` : '';
}
