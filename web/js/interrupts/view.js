// @ts-check
import { Chart } from '../kit/chart.js';
import { h, panel, say } from '../kit/dom.js';
import { grouped } from '../kit/format.js';
import { KINDS } from '../kit/palette.js';
import { EventList } from './event-list.js';
import { Filter } from './filter.js';
import { Lines } from './lines.js';

/** Reports of the worker, four a second, that make one point of the chart. */
const REPORTS = 4;
const STATES = {
  connecting: 'Connecting…',
  connected: 'Live.',
  paused:
    'Paused: the stream is closed. Resuming asks for what was missed; what the server no longer has shows as a gap.',
  lost: 'The connection is lost. Trying again…',
  ended: 'The machine was deleted.',
};

/** The IRQ stream of a machine. */
export class InterruptsView {
  #name = '';
  /** @type {Worker | undefined} */
  #worker;
  /** @type {any[]} */
  #reports = [];
  #since = 0;
  #received = 0;
  #lost = 0;
  /** Of the last gap, which other events may have pushed out of the list. */
  #gap = '';

  /** @param {import('../server.js').Server} server */
  constructor(server) {
    this.server = server;
    this.filter = new Filter(() => this.#begin());
    this.list = new EventList();
    this.lines = new Lines();
    this.chart = new Chart(
      Object.entries(KINDS).map(([name, colour]) => ({ name, colour })),
      { label: 'Events per second by kind over the last two minutes', unit: ' /s', height: 130 },
    );
    this.pause = h('button', { type: 'button', 'aria-pressed': 'false', onclick: () => this.#pause() }, 'Pause');
    this.state = h('span', { class: 'note', role: 'status' });
    this.totals = h('span', { class: 'note totals' });
    this.element = h(
      'div',
      { class: 'view' },
      panel('Rates', 'Events received per second, after the filter.', h('div', { class: 'body' }, this.chart.element)),
      panel(
        'Lines',
        'Levels after the last event, filled: HPET, ringed: a client. Unknown (hatched) while a filter is set.',
        h('div', { class: 'body' }, this.lines.element),
      ),
      panel(
        'Events',
        'The newest 100, as the server sent them. A number that is missing was filtered out; only a gap means loss.',
        h('div', { class: 'body events-head' }, this.filter.element, this.pause, this.totals, this.state),
        this.list.element,
      ),
    );
  }

  /** @param {any} machine */
  show(machine) {
    this.#name = machine.name;
    this.#begin();
  }

  hide() {
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  #begin() {
    this.hide();
    this.#reports = [];
    this.#received = 0;
    this.#lost = 0;
    this.#gap = '';
    this.chart.clear();
    this.list.clear('No event yet. Drive the machine, or wait for a timer.');
    this.pause.setAttribute('aria-pressed', 'false');
    say(this.pause, 'Pause');
    this.#since = performance.now();
    const worker = new Worker('/page/js/interrupts/worker.js', { type: 'module' });
    this.#worker = worker;
    worker.addEventListener('message', ({ data }) => {
      if (worker === this.#worker) this.#heard(data);
    });
    const { url, token } = this.server;
    const options = { ...this.filter.options, ...(token !== undefined && { token }) };
    worker.postMessage({ url, machine: this.#name, options });
  }

  #pause() {
    const isPaused = this.pause.getAttribute('aria-pressed') !== 'true';
    this.pause.setAttribute('aria-pressed', String(isPaused));
    say(this.pause, isPaused ? 'Resume' : 'Pause');
    this.#worker?.postMessage(isPaused ? 'pause' : 'resume');
  }

  /** @param {any} report */
  #heard(report) {
    const { rows, counts, gap, lost, state, problem, lines } = report;
    this.list.add(rows);
    const numbers = /** @type {number[]} */ (Object.values(counts));
    this.#received += numbers.reduce((sum, count) => sum + count, 0);
    this.#lost += lost;
    if (gap) this.#gap = `, last ${grouped(gap.from)} to ${grouped(gap.to)}`;
    const text = STATES[/** @type {keyof typeof STATES} */ (state)];
    say(this.state, state === 'lost' && problem ? `${text} (${problem})` : text);
    say(this.totals, `${grouped(this.#received)} received, ${grouped(this.#lost)} lost in gaps${this.#gap}`);
    this.lines.show(this.filter.isOpen ? lines : undefined);
    this.#reports.push(counts);
    if (this.#reports.length >= REPORTS) this.#draw();
  }

  #draw() {
    const now = performance.now();
    const seconds = (now - this.#since) / 1000;
    this.#since = now;
    this.chart.add(
      Object.keys(KINDS).map((kind) => this.#reports.reduce((sum, counts) => sum + counts[kind], 0) / seconds),
    );
    this.#reports = [];
  }
}
