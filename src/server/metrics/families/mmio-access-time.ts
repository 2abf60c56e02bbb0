import { CALL_SITES, MMIO_READ, MMIO_WRITE } from '../../../core/sync/call-sites.js';
import { ACCESS_TIME, histogramAt } from '../../../runtime/statistics/statistics-layout.js';
import { DESIGN, type Family } from '../family.js';

export const mmioAccessTime: Family = {
  name: 'southbridge_mmio_access_sampled_seconds',
  type: 'histogram',
  help: 'Time that accesses take on their thread, waits for locks included. Sampled: one access in 64, or every one on machines with exact statistics.',
  labels: [...DESIGN, 'site'],
  *samples({ figures }) {
    for (const { labels, totals } of figures.distributions) {
      for (const site of [MMIO_READ, MMIO_WRITE]) {
        const durations = totals.durations(histogramAt(ACCESS_TIME, site));
        yield { labels: { ...labels, site: CALL_SITES[site] }, durations };
      }
    }
  },
};
