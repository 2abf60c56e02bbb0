import { DEFERRED_DELAY } from '../../../runtime/statistics/statistics-layout.js';
import { type Family, MACHINE } from '../family.js';

export const deferredIrqs: Family = {
  name: 'southbridge_deferred_irqs_total',
  type: 'counter',
  help: 'Calls of the HPET (line changes, pulses, messages, gate) that were deferred and carried out.',
  labels: MACHINE,
  *samples({ figures }) {
    for (const { labels, totals } of figures.machines) yield { labels, value: totals.durations(DEFERRED_DELAY).count };
  },
};
