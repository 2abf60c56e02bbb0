// @ts-check
import { h, panel, say, svg } from '../kit/dom.js';
import { time } from '../kit/format.js';
import { threadColour } from '../kit/palette.js';

/** Reports drawn at a time. */
const MOST = 3;
const NONE = 'None so far. Under nested-mutex, drive the machine and raise the load under the BQL.';

/** @typedef {{ thread: string, waitsFor: string, site: string, holds: string[], waited: number }} Member */
/** @typedef {{ outcome: 'broken' | 'hung', at: number, threads: Member[] }} Report */

/** Deadlocks that were found, each drawn with the paths of its threads. */
export class Deadlocks {
  #drawn = '';

  constructor() {
    this.summary = h('p', { class: 'note' });
    this.news = h('p', { role: 'status', class: 'hidden-text' });
    this.list = h('div', { class: 'reports' });
    this.element = panel(
      'Deadlocks',
      'Newest first; the last 32 of all machines are kept.',
      h('div', { class: 'body' }, this.summary, this.news, this.list),
    );
  }

  clear() {
    this.#drawn = '';
    say(this.summary, 'Loading…');
    this.list.replaceChildren();
  }

  /**
   * @param {Report[]} reports oldest first
   * @param {{ at: number, deadlocks: { broken: number, hung: number } }} counts host time now, and how many there were
   */
  show(reports, { at, deadlocks: { broken, hung } }) {
    const shown = reports.slice(-MOST).reverse();
    say(this.summary, broken + hung === 0 ? NONE : `${broken} broken by refusing a lock, ${hung} left to hang.`);
    // Told once: the count may rise many times a second.
    say(this.news, broken + hung === 0 ? '' : 'There are deadlocks.');
    const key = shown.map((report) => report.at).join();
    if (key !== this.#drawn) {
      this.#drawn = key;
      this.list.replaceChildren(...shown.map(drawReport));
    }
    for (const [index, age] of [...this.list.querySelectorAll('.age')].entries()) {
      say(age, `${time(Math.max(0, at - shown[index].at))} ago`);
    }
  }
}

/** @param {Report} report */
function drawReport({ outcome, threads }) {
  return h(
    'article',
    { class: 'report', 'aria-label': `Deadlock of ${threads.map(({ thread }) => thread).join(' and ')}, ${outcome}` },
    h(
      'header',
      {},
      h('span', { class: `badge ${outcome === 'hung' ? 'hung' : 'stale'}` }, outcome),
      h('span', {}, threads.map(({ thread }) => thread).join(' ⇄ ')),
      h('span', { class: 'note age' }),
    ),
    h(
      'div',
      { class: 'paths' },
      ...threads.flatMap((member, index) => {
        const column = drawPath(member, threads);
        return index === 0 ? [column] : [crossing(threads.length), column];
      }),
    ),
  );
}

/** What one thread did, from top to bottom. @param {Member} member @param {Member[]} all */
function drawPath({ thread, waitsFor, site, holds, waited }, all) {
  const holder = all.find((other) => other.holds.includes(waitsFor));
  const title = h('h4', {}, thread);
  title.style.borderColor = `var(${threadColour(thread)})`;
  return h(
    'div',
    { class: 'path' },
    title,
    h(
      'dl',
      {},
      h('dt', {}, 'holds'),
      h('dd', { class: 'holds' }, ...holds.flatMap((lock) => [h('span', { class: 'lock-name' }, lock), ' '])),
      h('dt', {}, 'at'),
      h('dd', {}, site),
      h('dt', {}, 'waits for'),
      h(
        'dd',
        {},
        h('span', { class: 'lock-name wanted' }, waitsFor),
        h('span', { class: 'note' }, holder ? ` held by ${holder.thread}` : ''),
      ),
      h('dt', {}, 'for'),
      h('dd', {}, time(waited)),
    ),
  );
}

/** Arrows from what each of two threads waits for to what the other holds. @param {number} count */
function crossing(count) {
  if (count > 2) return h('div', { class: 'crossing', 'aria-hidden': 'true' }, '→');
  return svg(
    'svg',
    { class: 'crossing', viewBox: '0 0 60 108', 'aria-hidden': 'true' },
    svg('path', { d: 'M2 72 C30 72 30 34 52 34', class: 'arc' }),
    svg('path', { d: 'M58 34 l-8 -3.4 v6.8 z', class: 'tip' }),
    svg('path', { d: 'M58 72 C30 72 30 34 8 34', class: 'arc' }),
    svg('path', { d: 'M2 34 l8 -3.4 v6.8 z', class: 'tip' }),
  );
}
