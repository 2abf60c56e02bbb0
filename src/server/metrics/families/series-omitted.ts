import { type Family, single } from '../family.js';

export const seriesOmitted: Family = single(
  {
    name: 'southbridge_series_omitted',
    type: 'gauge',
    help: 'Samples that were left out to stay within 20000; those of the lock histograms go first.',
  },
  ({ scrapes }) => scrapes.omitted,
);
