// @ts-check
import { h, panel, say, svg } from '../kit/dom.js';
import { time } from '../kit/format.js';
import { threadColour } from '../kit/palette.js';
import { labPlace } from '../place.js';
import { QEMU_NAMES, scenarioOf } from './call-sites.js';

/** Reports drawn at a time. */
const MOST = 3;
const NONE = 'None so far. Under nested-mutex, drive the machine and raise the load under the BQL.';

/** @typedef {{ operation: string, address: string }} Access */
/**
 * @typedef {{ thread: string, waitsFor: string, site: string, holds: string[], waited: number, path: string[],
 *   taken: { lock: string, site: string }[], access: Access | null, timer: number | null, gsi: number | null }} Member
 */
/** @typedef {{ outcome: 'broken' | 'hung', at: number, threads: Member[] }} Report */

/** Deadlocks that were found, each drawn with the paths of its threads. */
export class Deadlocks {
  /** What is drawn, newest first, with its element. @type {{ report: Report, element: HTMLElement }[]} */
  #drawn = [];

  constructor() {
    this.summary = h('p', { class: 'note' });
    this.news = h('p', { role: 'status', class: 'hidden-text' });
    this.list = h('div', { class: 'reports' });
    this.element = panel(
      'Deadlocks',
      'Newest first; the server keeps those that hang, and the last 32 broken ones of all machines.',
      h('div', { class: 'body' }, this.summary, this.news, this.list),
    );
  }

  clear() {
    this.#drawn = [];
    say(this.summary, 'Loading…');
    this.list.replaceChildren();
  }

  /**
   * @param {Report[]} reports oldest first
   * @param {{ at: number, deadlocks: { broken: number, hung: number } }} counts host time now, and how many there were
   * @param {any} locking the design of the machine
   */
  show(reports, { at, deadlocks: { broken, hung } }, locking) {
    say(this.summary, broken + hung === 0 ? NONE : `${broken} broken by refusing a lock, ${hung} left to hang.`);
    // Reported once: the count may rise many times a second.
    say(this.news, broken + hung === 0 ? '' : 'There are deadlocks.');
    // A machine may have a hundred a second: the list stays while one of its links has the focus.
    if (!this.list.contains(document.activeElement)) this.#draw(reports.slice(-MOST).reverse(), locking);
    for (const { report, element } of this.#drawn) {
      const past = time(Math.max(0, at - report.at));
      const age = /** @type {Element} */ (element.querySelector('.age'));
      say(age, report.outcome === 'hung' ? `hung for ${past}` : `${past} ago`);
    }
  }

  /** @param {Report[]} reports newest first @param {any} locking */
  #draw(reports, locking) {
    if (reports.map(({ at }) => at).join() === this.#drawn.map(({ report }) => report.at).join()) return;
    this.#drawn = reports.map((report) => {
      const drawn = this.#drawn.find((each) => each.report.at === report.at);
      return { report, element: drawn?.element ?? drawReport(report, locking) };
    });
    this.list.replaceChildren(...this.#drawn.map(({ element }) => element));
  }
}

/** @param {Report} report @param {any} locking */
function drawReport(report, locking) {
  const { outcome, threads } = report;
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
    drawAdvice(report, locking),
  );
}

/** The matching counterexample, and what to do. @param {Report} report @param {any} locking */
function drawAdvice({ outcome, threads }, { preset, mmio, timer, irq, control }) {
  const design = preset ?? [mmio, timer, irq, control].join('/');
  const scenario = scenarioOf(threads);
  return h(
    'div',
    { class: 'advice' },
    h(
      'p',
      {},
      'The shortest schedule that reaches such a deadlock: ',
      h('a', { href: labPlace('designs', { design, scenario }) }, 'step through it'),
      ', or run ',
      h('code', {}, `npx southbridge explore --locking ${design} --scenario ${scenario}`),
    ),
    h(
      'p',
      {},
      outcome === 'hung'
        ? 'Restore the machine from its last checkpoint, or delete it. Both end the threads that hang. Then choose a '
        : 'The server refused one of the threads its lock, and both continued. Hardware has no such way out: choose a ',
      h('a', { href: '/docs/choosing-a-design' }, 'design without this deadlock'),
      '.',
    ),
  );
}

/** What one thread did, from top to bottom. @param {Member} member @param {Member[]} all */
function drawPath({ thread, waitsFor, site, waited, path, taken, access, timer, gsi }, all) {
  const holder = all.find((other) => other.holds.includes(waitsFor));
  const title = h('h4', {}, thread);
  title.style.borderColor = `var(${threadColour(thread)})`;
  const concerns = [timer !== null && `timer ${timer}`, gsi !== null && `GSI ${gsi}`].filter(Boolean).join(', ');
  /** @type {[string, import('../kit/dom.js').Child[]][]} */
  const rows = [
    ...taken.map((each) => /** @type {[string, any[]]} */ (['holds', [lockName(each.lock), ` taken at ${each.site}`]])),
    [
      'executes',
      [access ? `${access.operation} of ${access.address}` : path.includes('timer-callback') && 'a callback'],
    ],
    ['concerns', [concerns]],
    ['path', [path.join(' → ')]],
    ['in QEMU', [path.map((each) => QEMU_NAMES[each] ?? each).join(' → ')]],
    [
      'waits for',
      [
        lockName(waitsFor, true),
        h('span', { class: 'note' }, ` at ${site}${holder ? `, held by ${holder.thread}` : ''}`),
      ],
    ],
    ['waited', [time(waited)]],
  ];
  const filled = rows.filter(([, texts]) => texts.some(Boolean));
  return h(
    'div',
    { class: 'path' },
    title,
    h('dl', {}, ...filled.flatMap(([name, texts]) => [h('dt', {}, name), h('dd', {}, ...texts)])),
  );
}

/** @param {string} lock */
function lockName(lock, isWanted = false) {
  return h('span', { class: isWanted ? 'lock-name wanted' : 'lock-name' }, lock);
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
