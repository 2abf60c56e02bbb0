// @ts-check
import { h, panel } from '../kit/dom.js';
import { hex } from '../kit/format.js';
import { bit } from './cell.js';
import { FieldTable } from './field-table.js';
import { Fields } from './fields.js';

/** @type {{ [column: string]: (chip: any) => string }} */
const COLUMNS = {
  chip: ({ chip }) => chip,
  initialised: ({ initialised }) => bit(initialised),
  IRR: ({ irr }) => bits(irr),
  ISR: ({ isr }) => bits(isr),
  IMR: ({ imr }) => bits(imr),
  ELCR: ({ elcr }) => bits(elcr),
  'vector base': ({ vectorBase }) => hex(vectorBase),
  'lowest priority': ({ lowestPriority }) => String(lowestPriority),
  'special mask': ({ specialMask }) => bit(specialMask),
  'rotates on AEOI': ({ rotatesOnAutomaticEoi }) => bit(rotatesOnAutomaticEoi),
  'ICW 1–4': ({ icw }) => icw.join(' '),
};

/** The 8259 pair by field. */
export class PicPanel {
  constructor() {
    this.fields = new Fields();
    this.chips = new FieldTable('The two chips of the 8259 pair', COLUMNS);
    this.element = panel(
      '8259 pair',
      'Registers in binary, input 7 first.',
      h('div', { class: 'body' }, this.fields.element),
      this.chips.element,
    );
  }

  clear() {
    this.fields.clear();
    this.chips.clear();
  }

  /** @param {any} pic */
  show({ intr, master, slave }) {
    this.fields.show({ INTR: bit(intr) });
    this.chips.show([
      { chip: 'master', ...master },
      { chip: 'slave', ...slave },
    ]);
  }
}

/** @param {string} byte */
function bits(byte) {
  return Number(byte).toString(2).padStart(8, '0');
}
