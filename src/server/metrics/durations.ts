import { BUCKETS, bucketOf } from '../../runtime/statistics/statistics-layout.js';
import type { Durations } from '../../runtime/threads/slot-totals.js';

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
