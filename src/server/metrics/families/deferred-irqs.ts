import { DEFERRED_DELAY } from '../../../runtime/statistics/statistics-layout.js';
import { type Family, slotsOf } from '../family.js';

export const deferredIrqs: Family = {
  name: 'southbridge_deferred_irqs_total',
  type: 'counter',
  help: 'Calls of the HPET (line changes, pulses, messages, gate) that were deferred and carried out.',
  labels: ['machine', 'locking'],
  *samples(source) {
    const { statistics } = source.service.engine;
    for (const { slot, labels } of slotsOf(source)) {
      yield { labels, value: statistics.durations(slot, DEFERRED_DELAY).count };
    }
  },
};
