import { ObservedDurations } from './durations.js';

/** How long scrapes took, and how long the gateway did nothing else meanwhile. */
export class ScrapeTimes {
  readonly durations = new ObservedDurations();
  /** The longest piece of the last scrape, in ns. */
  longestPiece = 0;
  /** Samples that the last scrape left out. */
  omitted = 0;
}
