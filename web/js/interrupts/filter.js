// @ts-check
import { h, say } from '../kit/dom.js';

const KINDS = /** @type {const} */ (['line', 'apic', 'msi', 'intr']);

/** Which events are asked of the server; those that the filter holds back do not come here at all. */
export class Filter {
  /** @param {() => void} onChange called only with filters that the server accepts */
  constructor(onChange) {
    this.kinds = KINDS.map((kind) => h('input', { type: 'checkbox', name: kind, checked: true }));
    this.gsi = list('filter-gsi', '16, 17');
    this.vector = list('filter-vector', '0x51, 82');
    this.problem = h('span', { class: 'problem', role: 'alert' });
    this.element = h(
      'form',
      { class: 'controls', 'aria-label': 'Filter' },
      ...this.kinds.map((input, index) => h('label', { class: 'choice' }, input, KINDS[index])),
      h('span', { class: 'choice' }, h('label', { for: 'filter-gsi' }, 'GSI'), this.gsi),
      h('span', { class: 'choice' }, h('label', { for: 'filter-vector' }, 'vector'), this.vector),
      this.problem,
    );
    this.element.addEventListener('submit', (event) => event.preventDefault());
    this.element.addEventListener('change', () => {
      if (this.#check()) onChange();
    });
  }

  /** For the client's IrqStream; undefined parts let everything pass. */
  get options() {
    const kinds = KINDS.filter((_, index) => this.kinds[index].checked);
    return {
      kinds: kinds.length === KINDS.length ? undefined : kinds,
      gsis: numbersOf(this.gsi.value),
      vectors: numbersOf(this.vector.value),
    };
  }

  get isOpen() {
    return Object.values(this.options).every((part) => part === undefined);
  }

  #check() {
    const faults = [
      mark(this.gsi, 31) && 'A GSI is a number from 0 to 31.',
      mark(this.vector, 255) && 'A vector is a number from 0 to 255, or 0x00 to 0xff.',
      !this.kinds.some(({ checked }) => checked) && 'Choose a kind.',
    ].filter(Boolean);
    say(this.problem, faults.join(' '));
    return faults.length === 0;
  }
}

/** @param {string} id @param {string} placeholder */
function list(id, placeholder) {
  return h('input', { type: 'text', id, placeholder, size: 10, autocomplete: 'off', spellcheck: 'false' });
}

/** @param {string} text */
function numbersOf(text) {
  const parts = text.split(/[\s,]+/).filter(Boolean);
  return parts.length === 0 ? undefined : parts.map(Number);
}

/** Whether there is a fault. @param {HTMLInputElement} input @param {number} last */
function mark(input, last) {
  const isBad = (numbersOf(input.value) ?? []).some((value) => !Number.isInteger(value) || value < 0 || value > last);
  input.setAttribute('aria-invalid', String(isBad));
  return isBad;
}
