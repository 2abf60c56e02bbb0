import { ObservedDurations } from './durations.js';

/** How long scrapes took, and how much of that the gateway spent on them. */
export class ScrapeTimes {
  readonly durations = new ObservedDurations();
  /** The longest piece of the last scrape, in ns. */
  longestPiece = 0;
  /** All pieces of the last scrape together, in ns. */
  busy = 0;
  /** Samples that the last scrape left out. */
  omitted = 0;
}
