// @ts-check
import { h, panel } from '../kit/dom.js';
import { hex } from '../kit/format.js';
import { bit } from './cell.js';
import { FieldTable } from './field-table.js';
import { Fields } from './fields.js';

/** @type {{ [column: string]: (entry: any) => string }} */
const COLUMNS = {
  pin: ({ pin }) => String(pin),
  line: ({ input }) => bit(input),
  'driven by': ({ sources }) => sources.join(', ') || '–',
  masked: ({ masked }) => bit(masked),
  vector: ({ vector }) => hex(vector),
  delivery: ({ deliveryMode }) => deliveryMode,
  destination: ({ destination, destinationMode }) => `${hex(destination)} ${destinationMode}`,
  trigger: ({ triggerMode }) => triggerMode,
  polarity: ({ polarity }) => polarity,
  request: ({ request }) => bit(request),
  status: ({ deliveryStatus }) => bit(deliveryStatus),
  'remote IRR': ({ remoteIrr }) => bit(remoteIrr),
  entry: ({ register }) => register,
};

/** The IOAPIC by field, with the lines that drive its pins. */
export class IoapicPanel {
  constructor() {
    this.fields = new Fields();
    this.entries = new FieldTable('Redirection entries of the IOAPIC', COLUMNS);
    this.element = panel('IOAPIC', '', h('div', { class: 'body' }, this.fields.element), this.entries.element);
  }

  clear() {
    this.fields.clear();
    this.entries.clear();
  }

  /** @param {any} ioapic */
  show({ id, version, arbitration, select, entries, lines }) {
    this.fields.show({
      id: String(id),
      version,
      arbitration: String(arbitration),
      'selected register': select,
      'lines up':
        lines
          .filter((/** @type {any} */ { level }) => level)
          .map((/** @type {any} */ { gsi }) => gsi)
          .join(', ') || 'none',
    });
    const rows = entries.map((/** @type {any} */ entry) => ({ ...entry, sources: lines[entry.pin].sources }));
    this.entries.show(rows, ({ masked, input }) => masked && !input);
  }
}
