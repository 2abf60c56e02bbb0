// @ts-check
import { h, head, say } from '../kit/dom.js';

/**
 * @typedef {{ word: string, from: number, to: number }} Change
 * @typedef {{ file: string, line: number, function: string, qemu?: string }} Frame
 * @typedef {{ number?: number, thread: number, text: string, memory: Change[], qemu: string[], source: Frame[],
 *   held: string[][], guest?: string, racy?: true, violates?: string,
 *   lock?: { action: string, name: string, qemu: string } }} Step
 * @typedef {{ design: string, scenario: string, description: string, kind: string, summary: string, consequence: string,
 *   replay: string, threads: { name: string, role: string }[], steps: Step[], locks: { [name: string]: string } }} Counterexample
 */

const REPLAY = 'npx southbridge explore --replay';

/**
 * Steps through a counterexample (`explore --json`): a lane per thread, and of the current step the locks that each thread
 * holds, the memory that changes, the source line with its function in QEMU, and what the guest sees. Arrow keys, Home and
 * End move between steps.
 */
export class Stepper {
  #current = 0;
  /** @type {Step[]} */
  #shown = [];

  /**
   * @param {Counterexample} counterexample
   * @param {{ mail?: string, again?: string, step?: number, level?: number, onStep?: (number: number) => void }} [options]
   *   `mail`: the text that *Copy as mail* copies. `again`: the command that replays it, up to the replay string.
   *   `step`: the number of the first step shown. `onStep` is called with the number of each step shown.
   *   `level`: of the heading.
   */
  constructor(counterexample, { mail, again = REPLAY, step = 1, level = 3, onStep = () => {} } = {}) {
    this.counterexample = counterexample;
    this.again = again;
    this.onStep = onStep;
    this.level = level;
    this.position = h('input', {
      type: 'range',
      min: 0,
      'aria-label': 'Step',
      oninput: () => this.show(Number(this.position.value)),
    });
    this.where = h('p', { class: 'stepper-where', role: 'status' });
    this.details = h('input', { type: 'checkbox', onchange: () => this.#list() });
    this.rows = h('tbody', {});
    this.state = h('div', { class: 'stepper-state' });
    this.element = h(
      'section',
      { class: 'stepper', 'aria-label': `Counterexample: ${counterexample.kind}` },
      ...this.#parts(mail),
    );
    this.element.addEventListener('keydown', (event) => this.#onKey(event));
    this.#list();
    this.show(
      Math.max(
        0,
        this.#shown.findIndex(({ number }) => number === step),
      ),
    );
  }

  /** @param {number} index among the steps shown */
  show(index) {
    this.#current = Math.min(Math.max(index, 0), this.#shown.length - 1);
    const step = this.#shown[this.#current];
    this.position.value = String(this.#current);
    const { threads } = this.counterexample;
    const thread = threads[step.thread]?.name ?? 'outcome';
    const violates = step.violates ? ` – violates: ${step.violates}` : '';
    say(this.where, `Step ${this.#current + 1} of ${this.#shown.length}. ${thread}: ${step.text}${violates}`);
    for (const [at, row] of [...this.rows.rows].entries()) {
      row.classList.toggle('stepper-past', at <= this.#current);
      if (at !== this.#current) row.removeAttribute('aria-current');
      else {
        row.setAttribute('aria-current', 'step');
        row.scrollIntoView({ block: 'nearest' });
      }
    }
    this.state.replaceChildren(...this.#stateAfter(step));
    if (step.number) this.onStep(step.number);
  }

  /**
   * @param {number} below levels below the heading of the whole
   * @param {...(Node | string)} children
   */
  #heading(below, ...children) {
    const tag = /** @type {'h2'} */ (`h${this.level + below}`);
    return h(tag, { class: below === 0 ? 'stepper-title' : 'stepper-part' }, ...children);
  }

  /** @param {string | undefined} mail */
  #parts(mail) {
    const { design, scenario, kind, summary, consequence, description, threads, replay } = this.counterexample;
    const button = (/** @type {string} */ label, /** @type {string} */ sign, /** @type {() => number} */ to) =>
      h('button', { type: 'button', 'aria-label': label, title: label, onclick: () => this.show(to()) }, sign);
    const copy = mail && h('button', { type: 'button', onclick: () => this.#copy(mail) }, 'Copy as mail');
    return [
      this.#heading(0, h('span', { class: 'stepper-kind' }, kind), ` ${design} × ${scenario}`),
      h('p', {}, summary),
      h('p', {}, h('strong', {}, consequence)),
      h('p', { class: 'note' }, `${description}. Replay: `, h('code', {}, `${this.again} ${replay}`)),
      h(
        'div',
        { class: 'stepper-controls', role: 'group', 'aria-label': 'Steps' },
        button('First step', '«', () => 0),
        button('Previous step', '‹', () => this.#current - 1),
        button('Next step', '›', () => this.#current + 1),
        button('Last step', '»', () => this.#shown.length - 1),
        this.position,
        h('label', {}, this.details, ' leaf locks and bookkeeping'),
        copy,
      ),
      this.where,
      h(
        'div',
        { class: 'stepper-panes' },
        h(
          'div',
          { class: 'stepper-lanes', tabindex: 0, role: 'region', 'aria-label': 'Lanes, one per thread' },
          h('table', {}, head(['#', ...threads.map(({ name }) => name)]), this.rows),
        ),
        this.state,
      ),
    ];
  }

  #list() {
    const current = this.#shown[this.#current];
    this.#shown = this.counterexample.steps.filter(({ number }) => this.details.checked || number !== undefined);
    this.position.max = String(this.#shown.length - 1);
    this.rows.replaceChildren(...this.#shown.map((step, index) => this.#row(step, index)));
    if (current) this.show(Math.max(0, this.#shown.indexOf(current)));
  }

  /** @param {Step} step @param {number} index */
  #row(step, index) {
    const { threads } = this.counterexample;
    const mark = step.violates ? '✗ ' : step.racy ? '★ ' : '';
    const go = h(
      'button',
      { type: 'button', class: 'stepper-go', onclick: () => this.show(index) },
      `${mark}${step.text}`,
    );
    const number = h('td', { class: 'num' }, step.number ?? '');
    const name = step.violates ? 'stepper-violates' : undefined;
    if (step.thread < 0) return h('tr', { class: name }, number, h('td', { colspan: threads.length }, go));
    const cells = threads.map((_, thread) => {
      const held = step.held[thread].length > 0 ? 'stepper-holds' : undefined;
      return h('td', { class: held }, thread === step.thread && go);
    });
    return h('tr', { class: name }, number, ...cells);
  }

  /** @param {Step} step */
  #stateAfter(step) {
    const { threads, locks } = this.counterexample;
    const named = (/** @type {string} */ lock) => (locks[lock] ? `${lock} (${locks[lock]})` : lock);
    const list = (/** @type {(Node | string)[]} */ items) =>
      items.length > 0 ? h('ul', {}, ...items.map((item) => h('li', {}, item))) : h('p', { class: 'note' }, 'none');
    const frames = step.source.map((frame) => {
      const place = `${frame.file.replace(/^.*\//, '')}:${frame.line} ${frame.function}`;
      return h('span', {}, h('code', {}, place), frame.qemu && ` = ${frame.qemu}`);
    });
    return [
      this.#heading(1, 'The guest'),
      h('p', {}, step.guest ?? (step.violates ? this.counterexample.consequence : 'sees nothing of this step')),
      this.#heading(1, 'Locks held'),
      list(threads.map(({ name }, thread) => `${name}: ${step.held[thread].map(named).join(', ') || 'none'}`)),
      this.#heading(1, 'Memory changed'),
      list(step.memory.map(({ word, from, to }) => h('code', {}, `${word}: ${from} → ${to}`))),
      this.#heading(1, 'In QEMU'),
      h('p', {}, step.qemu.length > 0 ? h('code', {}, step.qemu.join(' → ')) : 'no counterpart'),
      this.#heading(1, 'Call path here, innermost first'),
      list(frames),
    ];
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const target = /** @type {Element} */ (event.target);
    if (target === this.position || event.altKey || event.ctrlKey || event.metaKey) return;
    const moves = /** @type {{ [key: string]: number }} */ ({
      ArrowRight: this.#current + 1,
      ArrowDown: this.#current + 1,
      ArrowLeft: this.#current - 1,
      ArrowUp: this.#current - 1,
      Home: 0,
      End: this.#shown.length - 1,
    });
    if (!(event.key in moves)) return;
    event.preventDefault();
    this.show(moves[event.key]);
  }

  /** @param {string} mail */
  async #copy(mail) {
    try {
      await navigator.clipboard.writeText(mail);
      say(this.where, 'Copied.');
    } catch {
      say(this.where, 'The browser does not allow this page to copy.');
    }
  }
}
