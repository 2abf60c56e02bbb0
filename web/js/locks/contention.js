// @ts-check
import { Chart } from '../kit/chart.js';
import { h, head, panel, say } from '../kit/dom.js';
import { percent, short, time } from '../kit/format.js';
import { SITE_NAMES, siteColour } from '../kit/palette.js';

/** Rates are means over this many answers, half a second apart. */
const SMOOTH = 4;

/** What the chart can show, per second; of a row of rates. */
const MEASURES = {
  'time waited': { unit: ' ms/s', of: (/** @type {Rates} */ rates) => rates.waited / 1e6 },
  'waits begun': { unit: ' /s', of: (/** @type {Rates} */ rates) => rates.contended },
  acquisitions: { unit: ' /s', of: (/** @type {Rates} */ rates) => rates.acquired },
};

/** @typedef {{ acquired: number, contended: number, tryFailed: number, waits: number, waited: number }} Counts */
/** @typedef {{ threads: number, longest: number }} Waiting  waits that have not ended; ns */
/** @typedef {Counts & { lock: string, site: string, waiting: Waiting, longestWait: { waited: number, holder: string | null, holderSite: string | null } | null }} Site */
/** @typedef {Counts & { row: Site }} Rates  per second */
/** @typedef {{ at: number, metrics: 'own' | 'shared', sites: Site[] }} Answer */

const COUNTED = /** @type {const} */ (['acquired', 'contended', 'tryFailed', 'waits', 'waited']);

/** Contention by call site: callers cause waiting, not locks. */
export class Contention {
  /** @type {Answer[]} */
  #answers = [];

  constructor() {
    this.measure = h(
      'select',
      { 'aria-label': 'Measure' },
      ...Object.keys(MEASURES).map((name) => h('option', {}, name)),
    );
    this.lock = h(
      'select',
      { 'aria-label': 'Lock' },
      ...['all locks', 'bql', 'device', 'router', 'ioapic', 'pic', 'timers'].map((name) => h('option', {}, name)),
    );
    this.chart = this.#newChart();
    this.chartPlace = h('div', { class: 'chart-place' }, this.chart.element);
    for (const select of [this.measure, this.lock]) select.addEventListener('change', () => this.#changed());
    this.body = h('tbody');
    this.shared = h(
      'p',
      { class: 'note', hidden: '' },
      'These figures are shared: they count all machines of this design that have no metrics of their own.',
    );
    this.element = panel(
      'Contention by call site',
      'Counted by the threads themselves, every acquisition and every wait; rates are means over two seconds.',
      this.shared,
      h(
        'div',
        { class: 'body contention' },
        h('div', {}, h('div', { class: 'controls' }, this.measure, this.lock), this.chartPlace),
        h(
          'div',
          { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Table of call sites' },
          h(
            'table',
            { class: 'contention-table' },
            head([
              'lock',
              'call site',
              ['taken/s', 'number'],
              ['waits/s', 'number'],
              ['share', 'number'],
              ['waited ms/s', 'number'],
              ['mean wait', 'number'],
              ['longest', 'number'],
              ['waiting now', 'number'],
              'held then by',
            ]),
            this.body,
          ),
        ),
      ),
    );
  }

  clear() {
    this.#answers = [];
    this.chart.clear();
    this.body.replaceChildren(h('tr', {}, h('td', { colspan: 10, class: 'empty' }, 'Loading…')));
  }

  /** @param {Answer} answer */
  add(answer) {
    this.shared.hidden = answer.metrics !== 'shared';
    const last = this.#answers.at(-1);
    if (last && fell(last, answer)) this.clear();
    this.#answers.push(answer);
    if (this.#answers.length > SMOOTH + 1) this.#answers.shift();
    if (this.#answers.length < 2) return;
    const rates = ratesBetween(this.#answers[0], answer);
    this.#drawChart(rates);
    this.#drawTable(rates);
  }

  #newChart() {
    const name = /** @type {keyof typeof MEASURES} */ (this.measure.value);
    return new Chart(
      SITE_NAMES.map((site) => ({ name: site, colour: siteColour(site) })),
      {
        label: `${name} by call site over the last two minutes; the table has the figures of now`,
        unit: MEASURES[name].unit,
      },
    );
  }

  #changed() {
    this.chart = this.#newChart();
    this.chartPlace.replaceChildren(this.chart.element);
  }

  /** @param {Rates[]} rates */
  #drawChart(rates) {
    const { of } = MEASURES[/** @type {keyof typeof MEASURES} */ (this.measure.value)];
    const wanted = rates.filter(({ row }) => this.lock.selectedIndex === 0 || row.lock === this.lock.value);
    this.chart.add(
      SITE_NAMES.map((site) => wanted.filter(({ row }) => row.site === site).reduce((sum, each) => sum + of(each), 0)),
    );
  }

  /** @param {Rates[]} rates */
  #drawTable(rates) {
    const wanted = rates
      .filter(({ row }) => this.lock.selectedIndex === 0 || row.lock === this.lock.value)
      .filter(({ acquired, tryFailed, contended, row }) => acquired + tryFailed + contended > 0 || row.contended > 0);
    if (wanted.length === 0) {
      const text = 'Nothing takes a lock. Drive the machine, or raise the load under the BQL.';
      this.body.replaceChildren(h('tr', {}, h('td', { colspan: 10, class: 'empty' }, text)));
      return;
    }
    if (this.body.querySelector('.empty')) this.body.replaceChildren();
    const known = new Map([...this.body.rows].map((row) => [row.dataset.key, row]));
    for (const [place, each] of wanted.entries()) {
      const key = `${each.row.lock} ${each.row.site}`;
      const row = known.get(key) ?? rowFor(each.row, key);
      known.delete(key);
      // In the order of the locks, wherever a new row comes in.
      if (this.body.rows[place] !== row) this.body.insertBefore(row, this.body.rows[place] ?? null);
      fill(row, each);
    }
    for (const row of known.values()) row.remove();
  }
}

/** @param {Site} site @param {string} key */
function rowFor({ lock, site }, key) {
  const swatch = h('span', { class: 'swatch' });
  swatch.style.background = `var(${siteColour(site)})`;
  const cells = Array.from({ length: 7 }, () => h('td', { class: 'number' }));
  return h(
    'tr',
    { 'data-key': key },
    h('th', { scope: 'row' }, lock),
    h('td', {}, swatch, ' ', site),
    ...cells,
    h('td'),
  );
}

/** @param {HTMLTableRowElement} row @param {Rates} rates */
function fill(row, { row: { longestWait, waiting }, acquired, contended, waits, waited }) {
  const texts = [
    short(acquired),
    short(contended),
    percent(acquired > 0 ? Math.min(1, contended / acquired) : 0),
    short(waited / 1e6),
    waits > 0 ? time(waited / waits) : '–',
    longestWait ? time(longestWait.waited) : '–',
    waiting.threads > 0 ? `${waiting.threads} for ${time(waiting.longest)}` : '–',
    longestWait?.holder ? `${longestWait.holder} ${longestWait.holderSite}` : '–',
  ];
  for (const [index, text] of texts.entries()) say(row.cells[index + 2], text);
  row.classList.toggle('contended', contended > 0);
}

/** @param {Answer} before @param {Answer} after @returns {Rates[]} */
function ratesBetween(before, after) {
  const seconds = (after.at - before.at) / 1e9;
  return after.sites.map((row) => {
    const old = before.sites.find(({ lock, site }) => lock === row.lock && site === row.site);
    const rates = COUNTED.map((count) => [count, (row[count] - (old?.[count] ?? 0)) / seconds]);
    return { row, ...Object.fromEntries(rates) };
  });
}

/** Whether the server was restarted. @param {Answer} before @param {Answer} after */
function fell(before, after) {
  if (after.at <= before.at) return true;
  return before.sites.some(({ lock, site, acquired }) => {
    const now = after.sites.find((each) => each.lock === lock && each.site === site);
    return now === undefined || now.acquired < acquired;
  });
}
