import { type Family, single } from '../family.js';

export const scrapeBlock: Family = single(
  {
    name: 'southbridge_scrape_longest_block_seconds',
    type: 'gauge',
    help: 'The longest time for which the scrape before this one kept the gateway from anything else.',
  },
  ({ scrapes }) => scrapes.longestPiece / 1e9,
);
