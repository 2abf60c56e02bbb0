import { BUCKETS, bucketOf } from '../../runtime/memory/statistics-layout.js';
import type { Durations } from '../../runtime/statistics/slot-totals.js';

/** Durations in ns that the gateway observes itself; the buckets are those of all histograms. */
export class ObservedDurations implements Durations {
  readonly buckets = new Array<number>(BUCKETS).fill(0);
  count = 0;
  sum = 0;

  observe(duration: number): void {
    this.buckets[bucketOf(duration)]++;
    this.count++;
    this.sum += duration;
  }
}

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
