// @ts-check
import { h, say } from '../kit/dom.js';
import { pathOf, sentence } from '../server.js';
import { designOf } from './list.js';

/** What a stopped machine is, by its state. @type {{ [state: string]: string }} */
const STOPPED = {
  hung: 'Threads hang in this machine. It answers no access, and its registers are those of that moment.',
  suspect: 'A thread died in this machine. It answers no access; what the thread was changing may be half done.',
};

/** Whether a machine can only be restored or deleted. @param {any} machine */
export function isStopped({ state }) {
  return Object.hasOwn(STOPPED, state);
}

/** Name and design of a machine, and what can be done to it as a whole. */
export class MachineHead {
  /** @type {any} */
  #machine;
  #drawn = '';

  /**
   * @param {import('../server.js').Server} server
   * @param {import('./list.js').MachineList} list
   * @param {() => void} leave called before the machine is deleted: nobody is to ask for it any more
   */
  constructor(server, list, leave) {
    this.server = server;
    this.list = list;
    this.leave = leave;
    this.facts = h('div', { class: 'machine-head' });
    this.delete = h('button', { type: 'button', class: 'danger', onclick: () => this.#delete() }, 'Delete');
    this.restore = h('button', { type: 'button', onclick: () => this.#restore() }, 'Restore');
    this.pause = h('button', { type: 'button', onclick: () => this.#pause() }, 'Pause');
    this.buttons = [
      this.pause,
      h('button', { type: 'button', onclick: () => this.#do('POST', '/reset') }, 'Reset'),
      this.delete,
    ];
    this.warnings = h('div');
    this.problem = h('p', { class: 'problem', role: 'alert' });
    this.element = h('div', {}, this.facts, this.warnings, this.problem);
  }

  /** @param {any} machine */
  show(machine) {
    if (machine.name !== this.#machine?.name) say(this.problem, '');
    this.#machine = machine;
    const { name, state, clock, locking, vcpus, warnings } = machine;
    const key = JSON.stringify([name, state, clock, locking, vcpus.length]);
    if (key === this.#drawn) return;
    this.#drawn = key;
    const { mmio, timer, irq, control } = locking;
    const axes = Object.entries({ mmio, timer, irq, control });
    say(this.pause, state === 'paused' ? 'Resume' : 'Pause');
    this.facts.replaceChildren(
      h('h2', {}, name),
      h('span', { class: `badge ${state}` }, state),
      h('span', {}, designOf(machine)),
      h('span', { class: `badge ${locking.class ?? 'unknown'}`, title: locking.verdict }, locking.class ?? 'unknown'),
      h('span', { class: 'axes' }, ...axes.map(([axis, value]) => h('span', {}, `${axis} `, h('b', {}, value)))),
      h('span', { class: 'note' }, `${clock} clock, ${vcpus.length} vCPUs`),
      h('span', { class: 'spacer' }),
      ...(isStopped(machine) ? [this.restore, this.delete] : this.buttons),
    );
    this.warnings.replaceChildren(
      ...(isStopped(machine) ? [h('p', { class: 'stopped-note' }, STOPPED[state])] : []),
      ...warnings.map((/** @type {any} */ { message }) => h('p', { class: 'warning' }, message)),
    );
  }

  #restore() {
    const { name } = this.#machine;
    if (confirm(`Restore the machine ${name} from its last checkpoint?`)) this.#do('POST', '/restore');
  }

  #pause() {
    this.#do('POST', this.#machine.state === 'paused' ? '/resume' : '/pause');
  }

  async #delete() {
    const { name } = this.#machine;
    if (!confirm(`Delete the machine ${name}? Its vCPUs are disconnected.`)) return;
    this.leave();
    await this.#do('DELETE', '');
    const next = this.list.machines.find((machine) => machine.name !== name);
    if (next && !this.list.find(name)) this.list.open(next.name);
  }

  /** @param {string} method @param {string} path */
  async #do(method, path) {
    try {
      await this.server.request(method, pathOf(this.#machine.name, path));
      say(this.problem, '');
    } catch (error) {
      say(this.problem, sentence(error));
    }
    await this.list.refresh();
  }
}
