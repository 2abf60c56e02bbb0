// @ts-check
import { Chart } from '../kit/chart.js';
import { h, panel, say } from '../kit/dom.js';
import { Poller } from '../kit/poller.js';
import { designOf } from '../machines/list.js';
import { keepChoices, place } from '../place.js';
import { sentence } from '../server.js';
import { SameLoad } from './drive.js';
import { FIGURES, figuresOf } from './figures.js';

const SIDES = /** @type {const} */ (['a', 'b']);
const COLOURS = ['--blue', '--amber'];
const DESIGNS = { a: 'nested-mutex', b: 'lockless-timer' };
const COUNT_MS = 1000;

/** Two machines with different designs under the same load, side by side. */
export class CompareView {
  /** @type {(ReturnType<typeof figuresOf> | undefined)[]} */
  #before = [undefined, undefined];
  /** @type {(string | undefined)[]} */
  #names = [undefined, undefined];
  /** @type {SameLoad | undefined} */
  #load;
  /** The end of the load before. */
  #ended = Promise.resolve();

  /**
   * @param {import('../server.js').Server} server
   * @param {import('../machines/list.js').MachineList} list
   */
  constructor(server, list) {
    this.server = server;
    this.list = list;
    this.selects = SIDES.map((side) => h('select', { id: `compare-${side}`, onchange: () => this.#chosen() }));
    this.make = h('button', { type: 'button', onclick: () => this.#make() }, 'Make two machines');
    this.load = h('button', { type: 'button', class: 'primary', onclick: () => this.#toggle() }, 'Load both');
    this.problem = h('p', { class: 'problem', role: 'alert' });
    this.heads = SIDES.map(() => h('th', { scope: 'col', class: 'number' }));
    this.cells = FIGURES.map(() => SIDES.map(() => h('td', { class: 'number' }, '–')));
    this.chart = new Chart(
      SIDES.map((side, index) => ({ name: side.toUpperCase(), colour: COLOURS[index] })),
      { label: 'Accesses per second of both machines', unit: '/s' },
    );
    const rows = FIGURES.map(({ name, title, from }, index) =>
      h(
        'tr',
        { 'data-figure': name },
        h('th', { scope: 'row', title: from }, title),
        ...this.cells[index],
        h('td', {}, from),
      ),
    );
    this.element = h('div', { class: 'view' }, h('h2', {}, 'Compare'), this.#controls(), this.#live(rows), stored());
    this.poller = new Poller(() => this.#count(), COUNT_MS);
  }

  show() {
    const { choices } = place();
    this.#options();
    for (const [index, side] of SIDES.entries()) {
      const name = choices.get(side);
      if (name !== null && this.list.find(name)) this.selects[index].value = name;
    }
    this.#chosen();
    this.poller.start();
  }

  /** The list was reread: machines may have appeared or disappeared. */
  machinesChanged() {
    if (!this.poller.isRunning) return;
    const shown = [...this.selects[0].options].map(({ text }) => text).sort();
    if (shown.join() !== this.list.machines.map(textOf).sort().join()) this.show();
  }

  hide() {
    this.#stop();
    this.poller.stop();
  }

  #controls() {
    const labels = SIDES.flatMap((side, index) => [
      h('label', { for: `compare-${side}` }, `Machine ${side.toUpperCase()}`),
      this.selects[index],
    ]);
    return panel(
      'Two machines under the same load',
      '',
      h(
        'div',
        { class: 'body' },
        h('div', { class: 'lab-form' }, ...labels, this.load, this.make),
        h(
          'p',
          { class: 'note' },
          'Each machine gets the load of Drive from two vCPUs, and other work holds its BQL for 40 % of the time. ',
          h('a', { href: '/docs/page' }, 'What the figures are'),
          ', ',
          h('a', { href: '/docs/locks' }, 'how locks are counted'),
          '.',
        ),
        this.problem,
      ),
    );
  }

  /** @param {HTMLElement[]} rows */
  #live(rows) {
    const corner = h('th', { scope: 'col' }, 'figure');
    const where = h('th', { scope: 'col' }, 'from');
    const table = h(
      'table',
      { class: 'compare' },
      h('thead', {}, h('tr', {}, corner, ...this.heads, where)),
      h('tbody', {}, ...rows),
    );
    return panel(
      'Live',
      'What the API returns, once a second. Rates are differences of two answers.',
      h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Figures side by side' }, table),
      h('div', { class: 'body' }, this.chart.element),
    );
  }

  #options() {
    for (const select of this.selects) {
      const chosen = select.value;
      select.replaceChildren(
        ...this.list.machines.map((machine) => h('option', { value: machine.name }, textOf(machine))),
      );
      if (this.list.find(chosen)) select.value = chosen;
    }
    const [a, b] = this.selects;
    if (a.value === b.value && this.list.machines.length > 1 && place().choices.get('b') === null)
      b.selectedIndex = a.selectedIndex === 0 ? 1 : 0;
  }

  #chosen() {
    const names = this.selects.map(({ value }) => value || undefined);
    const texts = names.map((name) => (this.list.find(name) ? textOf(this.list.find(name)) : '–'));
    if (texts.join() === this.heads.map(({ textContent }) => textContent).join()) return;
    this.#stop();
    this.#names = names;
    this.#before = [undefined, undefined];
    this.chart.clear();
    for (const [index, text] of texts.entries()) {
      say(this.heads[index], text);
      for (const cells of this.cells) say(cells[index], '–');
    }
    if (names[0] && names[1]) keepChoices('compare', { a: names[0], b: names[1] });
  }

  async #make() {
    try {
      for (const side of SIDES) {
        const name = `compare-${side}`;
        if (this.list.find(name)) continue;
        await this.server.request('POST', '/v1/machines', {
          name,
          locking: DESIGNS[side],
          vcpus: 2,
        });
      }
      say(this.problem, '');
    } catch (error) {
      say(this.problem, sentence(error));
    }
    await this.list.refresh();
    this.#options();
    for (const [index, side] of SIDES.entries()) this.selects[index].value = `compare-${side}`;
    this.#chosen();
  }

  #toggle() {
    if (this.#load) return this.#stop();
    const names = new Set(this.#names);
    const machines = this.list.machines.filter(({ name }) => names.has(name));
    if (machines.length === 0) return say(this.problem, 'There is no machine yet: make two.');
    say(this.problem, '');
    say(this.load, 'Stop');
    const load = new SameLoad(this.server, machines, this.#ended, (error) => {
      if (load !== this.#load) return;
      this.#stop();
      say(this.problem, typeof error === 'string' ? error : sentence(error));
    });
    this.#load = load;
  }

  #stop() {
    if (this.#load) this.#ended = this.#load.end();
    this.#load = undefined;
    say(this.load, 'Load both');
  }

  async #count() {
    const names = [...this.#names];
    const now = await Promise.all(names.map((name) => this.#figures(name)));
    if (names.join() !== this.#names.join()) return;
    const rates = now.map((figures, index) => {
      const before = this.#before[index];
      for (const [at, { show }] of FIGURES.entries()) say(this.cells[at][index], figures ? show(figures, before) : '–');
      return figures && before ? (figures.accesses - before.accesses) / ((figures.at - before.at) / 1e9) : Number.NaN;
    });
    this.#before = now;
    if (rates.every(Number.isFinite)) this.chart.add(rates);
  }

  /** @param {string | undefined} name */
  async #figures(name) {
    if (name === undefined) return undefined;
    const [counts, locks] = await Promise.all([
      this.server.get(name, '/locks/contention'),
      this.server.get(name, '/locks'),
    ]);
    return figuresOf(counts, locks);
  }
}

/** @param {any} machine */
function textOf(machine) {
  return `${machine.name}: ${designOf(machine)}`;
}

/** The charts of the stored comparison. */
function stored() {
  const charts = /** @type {const} */ ({
    accesses: 'accesses per second',
    readP99: 'p99 of a counter read',
    mmioP99: 'p99 of an access',
    latenessP99: 'p99 of the lateness of timers',
    interruptP99: 'p99 from deadline to interrupt',
    waiting: 'share of time spent waiting for locks',
  });
  return panel(
    'Stored comparison',
    'All presets in one process at four loads of the BQL.',
    h(
      'div',
      { class: 'body' },
      h('p', {}, h('a', { href: '/docs/comparison' }, 'The table, and what each column means')),
      h(
        'div',
        { class: 'charts' },
        ...Object.entries(charts).map(([name, text]) =>
          h(
            'a',
            { href: '/docs/comparison' },
            h('img', { src: `/docs/images/comparison-${name}.svg`, alt: text, loading: 'lazy' }),
          ),
        ),
      ),
    ),
  );
}
