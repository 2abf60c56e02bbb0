// @ts-check
import { h, say } from '../kit/dom.js';
import { Poller } from '../kit/poller.js';
import { isGone, sentence } from '../server.js';
import { HpetPanel } from './hpet.js';
import { IoapicPanel } from './ioapic.js';
import { PicPanel } from './pic.js';

const LOOKS = { '4 times a second': 250, 'once a second': 1000, 'every 5 seconds': 5000 };

/** Registers of the devices by field. Looking changes nothing that the guest can see. */
export class RegistersView {
  #name = '';

  /** @param {import('../server.js').Server} server */
  constructor(server) {
    this.server = server;
    this.parts = { hpet: new HpetPanel(), ioapic: new IoapicPanel(), pic: new PicPanel() };
    this.rate = h('select', { id: 'look-rate' }, ...Object.keys(LOOKS).map((rate) => h('option', {}, rate)));
    this.freeze = h('button', { type: 'button', 'aria-pressed': 'false', onclick: () => this.#freeze() }, 'Freeze');
    this.problem = h('p', { class: 'problem', role: 'alert' });
    this.element = h(
      'div',
      { class: 'view' },
      h(
        'div',
        { class: 'controls' },
        h('label', { for: 'look-rate' }, 'look'),
        this.rate,
        this.freeze,
        h(
          'span',
          { class: 'note' },
          h('span', { class: 'swatch changed' }),
          ' changed since the look before. Looking disturbs nothing that a guest can see.',
        ),
      ),
      this.problem,
      this.parts.hpet.element,
      this.parts.ioapic.element,
      this.parts.pic.element,
    );
    this.poller = new Poller(() => this.#look(), LOOKS['4 times a second']);
    this.rate.addEventListener('change', () => {
      this.poller.interval = LOOKS[/** @type {keyof typeof LOOKS} */ (this.rate.value)];
      if (this.poller.isRunning) this.poller.start();
    });
  }

  /** @param {any} machine */
  show(machine) {
    if (machine.name !== this.#name) for (const part of Object.values(this.parts)) part.clear();
    this.#name = machine.name;
    if (this.freeze.getAttribute('aria-pressed') !== 'true') this.poller.start();
  }

  hide() {
    this.poller.stop();
  }

  #freeze() {
    const isFrozen = this.freeze.getAttribute('aria-pressed') !== 'true';
    this.freeze.setAttribute('aria-pressed', String(isFrozen));
    if (isFrozen) this.poller.stop();
    else this.poller.start();
  }

  async #look() {
    const name = this.#name;
    try {
      const [hpet, ioapic] = await Promise.all([this.server.get(name, '/hpet'), this.server.get(name, '/ioapic')]);
      if (name !== this.#name) return;
      this.parts.hpet.show(hpet);
      this.parts.ioapic.show(ioapic);
      this.parts.pic.show(ioapic.pic);
      say(this.problem, '');
    } catch (error) {
      if (!isGone(error) && this.server.isReachable) say(this.problem, sentence(error));
      throw error;
    }
  }
}
