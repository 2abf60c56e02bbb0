// @ts-check
import { h, head, panel, say } from '../kit/dom.js';
import { percent, time } from '../kit/format.js';
import { onScheme, threadColour } from '../kit/palette.js';
import { Lane } from './lane.js';

/** Seconds that are shown at most and at least: the axis fits what there is. */
const WINDOW = 30;
const LEAST = 5;
/** Marks of the time axis. */
const TICKS = 5;
const LOCKS = ['bql', 'device', 'router', 'ioapic', 'pic', 'timers'];
const NOTE =
  'Samples of the owner words, about 15 to 20 a second: each stroke is one look, and what happened between two is not shown. Shares are of the looks.';

/** @typedef {{ lock: string, owner: string | null, waiters: { thread: string, site: string, waited: number }[] }} LockState */
/** @typedef {{ at: number, owner: string | null, waiters: string[] }} Look */

/** Holders and waiters of each lock over the last half minute. */
export class Timeline {
  constructor() {
    this.hover = h('span', { class: 'note mono lane-value' });
    this.rows = LOCKS.map((lock) => new Row(lock, (text) => say(this.hover, text && `${lock} ${text}`)));
    this.ticks = Array.from({ length: TICKS }, () => h('span'));
    this.begun = performance.now();
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
          head(['lock', ['time', 'lane'], 'owner', 'waits now', ['held', 'number'], ['waited for', 'number']]),
          h('tbody', {}, ...this.rows.map(({ element }) => element), this.#axis()),
        ),
      ),
      h(
        'div',
        { class: 'timeline-foot' },
        this.threads,
        this.hover,
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

  #axis() {
    return h(
      'tr',
      { class: 'axis' },
      h('td'),
      h('td', { class: 'lane' }, h('div', { class: 'ticks' }, ...this.ticks)),
      h('td', { colspan: 4 }),
    );
  }

  clear() {
    this.begun = performance.now();
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
    const window = Math.min(WINDOW * 1000, Math.max(LEAST * 1000, now - this.begun));
    for (const row of this.rows) row.draw(now, window);
    for (const [index, tick] of this.ticks.entries()) {
      const age = (window / 1000) * (1 - index / (TICKS - 1));
      say(tick, index === TICKS - 1 ? 'now' : `−${age.toFixed(age < 10 ? 1 : 0)} s`);
    }
  }
}

/** One lock. */
class Row {
  /** @type {Look[]} */
  #looks = [];

  /** @param {string} lock @param {(text: string) => void} onHover */
  constructor(lock, onHover) {
    this.lock = lock;
    this.lane = new Lane(lock, onHover);
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

  /** @param {number} now @param {number} window ms */
  draw(now, window) {
    this.#looks = this.#looks.filter(({ at }) => at > now - WINDOW * 1000);
    this.lane.draw(this.#looks, now, window);
    const count = this.#looks.length;
    if (count === 0) return;
    say(this.held, percent(this.#looks.filter(({ owner }) => owner !== null).length / count));
    say(this.waited, percent(this.#looks.filter(({ waiters }) => waiters.length > 0).length / count));
  }
}
