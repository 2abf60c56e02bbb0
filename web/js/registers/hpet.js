// @ts-check
import { h, panel } from '../kit/dom.js';
import { grouped } from '../kit/format.js';
import { bit, ranges } from './cell.js';
import { FieldTable } from './field-table.js';
import { Fields } from './fields.js';

/** @type {{ [column: string]: (timer: any) => string }} */
const COLUMNS = {
  timer: ({ timer }) => String(timer),
  enabled: ({ enabled }) => bit(enabled),
  mode: ({ periodic, mode32, size64 }) => `${periodic ? 'periodic' : 'one-shot'} ${mode32 || !size64 ? 32 : 64}`,
  trigger: ({ trigger }) => trigger,
  GSI: ({ route }) => String(route),
  comparator: ({ comparator }) => comparator,
  pending: ({ pending }) => bit(pending),
  'value set': ({ valueSet }) => bit(valueSet),
  FSB: ({ fsbEnabled, fsbCapable, fsb }) => (fsbEnabled ? `${fsb.address} ← ${fsb.data}` : fsbCapable ? 'off' : '–'),
  'may route to': ({ routes }) => ranges(routes),
  register: ({ register }) => register,
};

/** The HPET by field. */
export class HpetPanel {
  constructor() {
    this.fields = new Fields();
    this.timers = new FieldTable('Timers of the HPET', COLUMNS);
    this.element = panel('HPET', '', h('div', { class: 'body' }, this.fields.element), this.timers.element);
  }

  clear() {
    this.fields.clear();
    this.timers.clear();
  }

  /** @param {any} hpet */
  show({ virtualTime, capabilities, configuration, status, counter, timers }) {
    this.fields.show({
      'main counter': counter,
      'virtual time': `${grouped(virtualTime)} ns`,
      enabled: bit(configuration.enabled),
      'legacy replacement': `${bit(configuration.legacyReplacement)}${capabilities.legacyReplacement ? '' : ' (not there)'}`,
      pending: ranges(status.pending),
      period: `${grouped(capabilities.periodFs)} fs`,
      'counter width': capabilities.counter64 ? '64' : '32',
      vendor: capabilities.vendor,
      revision: String(capabilities.revision),
      capabilities: capabilities.register,
      configuration: configuration.register,
      status: status.register,
    });
    this.timers.show(timers, ({ enabled }) => !enabled);
  }
}
