// @ts-check
import { DrivePanel } from '../drive/panel.js';
import { InterruptsView } from '../interrupts/view.js';
import { h } from '../kit/dom.js';
import { LocksView } from '../locks/view.js';
import { placeOf, VIEWS } from '../place.js';
import { RegistersView } from '../registers/view.js';
import { isStopped, MachineHead } from './head.js';

const TITLES = { locks: 'Locks', registers: 'Registers', interrupts: 'Interrupts' };

/** What the page shows of one machine. */
export class MachinePane {
  /** @type {string | undefined} */
  #name;
  /** @type {{ element: HTMLElement, show(machine: any): void, hide(): void } | undefined} */
  #view;

  /**
   * @param {import('../server.js').Server} server
   * @param {import('./list.js').MachineList} list
   */
  constructor(server, list) {
    this.list = list;
    this.head = new MachineHead(server, list, () => this.hide());
    this.drive = new DrivePanel(server);
    this.views = {
      locks: new LocksView(server),
      registers: new RegistersView(server),
      interrupts: new InterruptsView(server),
    };
    this.tabs = h('nav', { class: 'tabs', 'aria-label': 'Views' });
    this.explanation = h('a', {}, 'What this view shows');
    this.place = h('div');
    this.empty = h('p', { class: 'empty panel' });
    this.content = h(
      'div',
      { class: 'view' },
      this.head.element,
      this.drive.element,
      this.tabs,
      h('p', { class: 'note' }, this.explanation),
      this.place,
    );
    this.element = h('div', {}, this.empty, this.content);
  }

  /**
   * @param {string | undefined} name
   * @param {import('../place.js').View} view
   */
  show(name, view) {
    if (name !== this.#name) this.drive.stop();
    this.#view?.hide();
    this.#name = name;
    this.#view = this.views[view];
    const links = VIEWS.map((each) =>
      h('a', { href: placeOf(name ?? '', each), 'aria-current': each === view ? 'page' : undefined }, TITLES[each]),
    );
    const hadFocus = this.tabs.contains(document.activeElement);
    this.tabs.replaceChildren(...links);
    if (hadFocus) links[VIEWS.indexOf(view)].focus();
    this.explanation.href = `/docs/page#${view}`;
    this.place.replaceChildren(this.#view.element);
    this.#isShowing = false;
    this.machinesChanged();
  }

  #isShowing = false;

  hide() {
    this.#view?.hide();
    this.#isShowing = false;
  }

  /** The list was reread: the machine may have appeared or disappeared. */
  machinesChanged() {
    const machine = this.list.find(this.#name);
    this.content.hidden = !machine;
    this.empty.hidden = machine !== undefined;
    this.empty.textContent = emptyText(this.#name, this.list.machines.length);
    if (!machine) {
      this.drive.stop();
      this.hide();
      return;
    }
    const stopped = isStopped(machine);
    this.content.classList.toggle('stopped', stopped);
    if (stopped) this.drive.stop();
    this.head.show(machine);
    this.drive.show(machine);
    if (this.#isShowing) return;
    this.#isShowing = true;
    this.#view?.show(machine);
  }
}

/** @param {string | undefined} name @param {number} count */
function emptyText(name, count) {
  if (name === undefined) return count === 0 ? 'Loading…' : 'Choose a machine.';
  return `There is no machine named ${name}. Choose another, or make it.`;
}
