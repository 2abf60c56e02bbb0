// @ts-check
import { h, panel, say } from '../kit/dom.js';
import { keepChoices, place } from '../place.js';
import { sentence } from '../server.js';
import { DesignTable } from './design-table.js';
import { Stepper } from './stepper.js';

/** The scenario that shows most. */
const FIRST = { design: 'nested-mutex', scenario: 'callback-acknowledge' };

/** @typedef {{ kind: string, summary: string, replay: string, counterexample?: any, mail?: string }} Finding */
/**
 * @typedef {{ design: string, scenario: string, description: string, verdict: 'PASS' | 'NOTE' | 'FAIL', extent: string,
 *   states: number, transitions: number, seconds: number, findings: Finding[] }} Result
 */

/** Verdicts of all designs; explores one of them in a scenario, and steps through the counterexample. */
export class DesignsView {
  /** @type {AbortController | undefined} */
  #running;
  #isLoaded = false;
  /** What the shown result is of. */
  #shown = '';

  /** @param {import('../server.js').Server} server */
  constructor(server) {
    this.server = server;
    this.table = new DesignTable((design) => {
      this.design.value = design;
      this.design.focus();
      this.element.scrollIntoView();
    });
    this.design = h('select', { id: 'lab-design' });
    this.scenario = h('select', { id: 'lab-scenario', onchange: () => this.#describe() });
    this.program = h('input', { type: 'text', id: 'lab-program', autocomplete: 'off', spellcheck: 'false' });
    this.description = h('p', { class: 'note' });
    this.run = h('button', { class: 'primary' }, 'Explore');
    this.status = h('p', { class: 'lab-status', role: 'status' });
    this.problem = h('p', { class: 'problem', role: 'alert' });
    this.result = h('div', { class: 'view' });
    const form = h(
      'form',
      { class: 'lab-form' },
      h('label', { for: 'lab-design' }, 'Design'),
      this.design,
      h('label', { for: 'lab-scenario' }, 'Scenario'),
      this.scenario,
      h('label', { for: 'lab-program' }, 'or program'),
      this.program,
      this.run,
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      if (this.#running) this.#running.abort();
      else this.#explore();
    });
    const note = h(
      'p',
      { class: 'note' },
      'The server explores every interleaving of the production code in a process of its own, one exploration at a time. ',
      h('a', { href: '/docs/exploration' }, 'How exploration works'),
      ', ',
      h('a', { href: '/docs/scenarios' }, 'the scenarios'),
      ', ',
      h('a', { href: '/docs/choosing-a-design' }, 'how to choose a design'),
      '.',
    );
    this.element = h(
      'div',
      { class: 'view' },
      h('h2', {}, 'Designs'),
      panel(
        'Explore a design',
        '',
        h('div', { class: 'body' }, form, this.description, note, this.status, this.problem),
      ),
      this.result,
      this.table.element,
    );
  }

  async show() {
    if (!this.#isLoaded && !(await this.#load())) return;
    const { choices } = place();
    const chosen = { design: choices.get('design') ?? '', scenario: choices.get('scenario') ?? '' };
    choose(this.design, chosen.design || this.design.value || FIRST.design);
    const scenario = chosen.scenario || this.scenario.value || FIRST.scenario;
    // A generated program has a name, and no entry in the list.
    if (choose(this.scenario, scenario)) this.program.value = '';
    else this.program.value = scenario;
    this.#describe();
    const key = `${chosen.design} ${chosen.scenario}`;
    if (chosen.design !== '' && chosen.scenario !== '' && key !== this.#shown) this.#explore();
  }

  /** The viewer leaves: the server ends the exploration. */
  hide() {
    this.#running?.abort();
  }

  async #load() {
    try {
      const [{ designs, command }, { scenarios }] = await Promise.all([
        this.server.request('GET', '/v1/lab/designs'),
        this.server.request('GET', '/v1/lab/scenarios'),
      ]);
      this.#isLoaded = true;
      this.table.show(designs, command);
      const option = (/** @type {any} */ { design }) => h('option', {}, design);
      const isPreset = (/** @type {any} */ { preset }) => preset !== null;
      this.design.replaceChildren(
        h('optgroup', { label: 'Presets' }, ...designs.filter(isPreset).map(option)),
        h(
          'optgroup',
          { label: 'Combinations' },
          ...designs.filter((/** @type {any} */ each) => !isPreset(each)).map(option),
        ),
      );
      this.scenario.replaceChildren(
        ...scenarios.map((/** @type {any} */ { name, description }) => h('option', { title: description }, name)),
      );
      return true;
    } catch (error) {
      say(this.problem, sentence(error));
      return false;
    }
  }

  #describe() {
    say(this.description, this.scenario.selectedOptions[0]?.title ?? '');
  }

  async #explore() {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    const task = { design: this.design.value, scenario: this.program.value.trim() || this.scenario.value };
    const step = place().choices.get('step') ?? '';
    const isSame = place().choices.get('design') === task.design && place().choices.get('scenario') === task.scenario;
    this.#shown = `${task.design} ${task.scenario}`;
    keepChoices('designs', isSame && step ? { ...task, step } : task);
    say(this.problem, '');
    say(this.status, `Exploring ${task.design} × ${task.scenario}…`);
    say(this.run, 'Cancel');
    this.result.replaceChildren();
    try {
      const result = await this.server.requestUntil(running.signal, 'POST', '/v1/lab/explorations', task);
      if (this.#running === running) this.#draw(result, isSame ? Number(step) || 1 : 1);
    } catch (error) {
      if (this.#running !== running) return;
      this.#shown = '';
      say(this.status, running.signal.aborted ? 'Cancelled.' : '');
      if (!running.signal.aborted) say(this.problem, sentence(error));
    } finally {
      if (this.#running === running) {
        this.#running = undefined;
        say(this.run, 'Explore');
      }
    }
  }

  /** @param {Result} result @param {number} step */
  #draw({ design, scenario, verdict, extent, states, transitions, seconds, findings }, step) {
    say(
      this.status,
      `${verdict} ${design} × ${scenario}, ${extent}: ${findings.length === 0 ? 'no findings' : `${findings.length} findings`}; ` +
        `${states} states, ${transitions} transitions, ${seconds} s`,
    );
    const place = h('div', { class: 'panel body stepper-place' });
    const drawn = findings.filter(({ counterexample }) => counterexample);
    const buttons = drawn.map((finding, index) => {
      const open = () => {
        for (const [at, each] of buttons.entries()) each.setAttribute('aria-pressed', String(at === index));
        this.#step(place, finding, index === 0 ? step : 1, { design, scenario });
      };
      return h(
        'button',
        { type: 'button', 'aria-pressed': 'false', onclick: open },
        `${finding.kind}: ${finding.summary}`,
      );
    });
    if (drawn.length === 0) return;
    const list = h('div', { class: 'findings', role: 'group', 'aria-label': 'Findings' }, ...buttons);
    this.result.replaceChildren(list, place);
    this.result.scrollIntoView({ block: 'nearest' });
    buttons[0].click();
  }

  /** @param {HTMLElement} element @param {Finding} finding @param {number} step @param {{ design: string, scenario: string }} task */
  #step(element, { counterexample, mail }, step, task) {
    const link = h('a', { href: location.href }, 'Link to this step');
    const stepper = new Stepper(counterexample, {
      mail,
      step,
      onStep: (number) => {
        keepChoices('designs', { ...task, step: String(number) });
        link.href = location.href;
      },
    });
    element.replaceChildren(stepper.element, h('p', {}, link));
  }
}

/** Chooses an option; false if there is none of that name. @param {HTMLSelectElement} select @param {string} name */
function choose(select, name) {
  const isThere = [...select.options].some(({ value }) => value === name);
  if (isThere) select.value = name;
  return isThere;
}
