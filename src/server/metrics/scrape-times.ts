import { ObservedDurations } from './durations.js';

/** Duration of the scrapes, and the gateway time that they took. */
export class ScrapeTimes {
  readonly durations = new ObservedDurations();
  /** Longest piece of the last scrape, in ns. */
  longestPiece = 0;
  /** Sum of all pieces of the last scrape, in ns. */
  busy = 0;
  /** Samples left out of the last scrape. */
  omitted = 0;
}
