import { type Family, single } from '../family.js';

export const scrapeDuration: Family = single(
  { name: 'southbridge_scrape_duration_seconds', type: 'histogram', help: 'How long earlier scrapes took.' },
  ({ scrapes }) => scrapes.durations,
);
