import { single } from '../family.js';

export const scrapeBusy = single(
  {
    name: 'southbridge_scrape_busy_seconds',
    type: 'gauge',
    help: 'Time of the gateway that the scrape before this one took, in all its pieces together.',
  },
  ({ scrapes }) => scrapes.busy / 1e9,
);
