import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

/** A histogram of durations in ns, of three digits. */
export function durationHistogram(): RecordableHistogram {
  return createHistogram({ lowest: 1, highest: 10e9, figures: 3 });
}

export function recordDuration(histogram: RecordableHistogram, ns: number): void {
  histogram.record(Math.max(1, Math.round(ns)));
}
