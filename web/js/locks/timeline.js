// @ts-check
import { h, head, panel, say } from '../kit/dom.js';
import { percent, time } from '../kit/format.js';
import { onScheme, threadColour } from '../kit/palette.js';
import { Lane } from './lane.js';

/** Seconds that are shown. */
const WINDOW = 30;
const LOCKS = ['bql', 'device', 'router', 'ioapic', 'pic', 'timers'];
const NOTE =
  'Samples of the owner words, about 15 to 20 a second: each stroke is one look, and what happened between two is not shown. Shares are of the looks.';

/** @typedef {{ lock: string, owner: string | null, waiters: { thread: string, site: string, waited: number }[] }} LockState */
/** @typedef {{ at: number, owner: string | null, waiters: string[] }} Look */

/** Holders and waiters of each lock over the last half minute. */
export class Timeline {
  constructor() {
    this.rows = LOCKS.map((lock) => new Row(lock));
    this.threads = h('div', { class: 'legend' });
    /** @type {Set<string>} */
    this.seen = new Set();
    this.element = panel(
      'Holders and waiters',
      NOTE,
      h(
        'div',
        { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Lanes of the timeline' },
        h(
          'table',
          { class: 'timeline' },
          head(['lock', ['last 30 s', 'lane'], 'owner', 'waits now', ['held', 'number'], ['waited for', 'number']]),
          h('tbody', {}, ...this.rows.map(({ element }) => element)),
        ),
      ),
      h(
        'div',
        { class: 'timeline-foot' },
        this.threads,
        h('span', { class: 'note' }, 'upper band: holder, grey if free; lower band: waiters; blank: no look'),
      ),
    );
    onScheme(() => this.#draw());
  }

  /** @param {LockState[]} locks */
  add(locks) {
    const at = performance.now();
    for (const state of locks) this.rows.find(({ lock }) => lock === state.lock)?.add(at, state);
    for (const { owner, waiters } of locks) {
      for (const thread of [owner, ...waiters.map(({ thread }) => thread)]) if (thread) this.#see(thread);
    }
    this.#draw();
  }

  clear() {
    for (const row of this.rows) row.clear();
    this.seen.clear();
    this.threads.replaceChildren();
  }

  /** @param {string} thread */
  #see(thread) {
    if (this.seen.has(thread)) return;
    this.seen.add(thread);
    const items = [...this.seen].sort().map((each) => {
      const swatch = h('span', { class: 'swatch' });
      swatch.style.background = `var(${threadColour(each)})`;
      return h('span', { class: 'choice' }, swatch, each);
    });
    this.threads.replaceChildren(...items);
  }

  #draw() {
    const now = performance.now();
    for (const row of this.rows) row.draw(now);
  }
}

/** One lock. */
class Row {
  /** @type {Look[]} */
  #looks = [];

  /** @param {string} lock */
  constructor(lock) {
    this.lock = lock;
    this.lane = new Lane(WINDOW * 1000);
    this.owner = h('td');
    this.waits = h('td');
    this.held = h('td', { class: 'number' });
    this.waited = h('td', { class: 'number' });
    this.element = h(
      'tr',
      {},
      h('th', { scope: 'row' }, lock),
      h('td', { class: 'lane' }, this.lane.element),
      this.owner,
      this.waits,
      this.held,
      this.waited,
    );
  }

  /** @param {number} at @param {LockState} state */
  add(at, { owner, waiters }) {
    this.#looks.push({ at, owner, waiters: waiters.map(({ thread }) => thread) });
    say(this.owner, owner ?? '–');
    say(this.waits, waiters.map(({ thread, site, waited }) => `${thread} ${site} ${time(waited)}`).join(', ') || '–');
  }

  clear() {
    this.#looks = [];
    for (const cell of [this.owner, this.waits, this.held, this.waited]) say(cell, '');
  }

  /** @param {number} now */
  draw(now) {
    this.#looks = this.#looks.filter(({ at }) => at > now - WINDOW * 1000);
    this.lane.draw(this.#looks, now);
    const count = this.#looks.length;
    if (count === 0) return;
    say(this.held, percent(this.#looks.filter(({ owner }) => owner !== null).length / count));
    say(this.waited, percent(this.#looks.filter(({ waiters }) => waiters.length > 0).length / count));
  }
}
