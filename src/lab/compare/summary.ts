import type { Summary } from './figures.js';

const CONFIDENCE = 0.95;

/**
 * Median, and the narrowest pair of order statistics around it that holds the true median with 95 % confidence whatever
 * the distribution is: each value lies below the true median with probability 1/2. Fewer than six values hold it with
 * less even by their extremes, which are given then.
 */
export function summary(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b);
  const n = sorted.length;
  const middle = (n - 1) / 2;
  const median = (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
  let below = 0;
  let outside = 0;
  // P(the true median lies below the value of rank `below`), from both sides.
  for (let rank = 0; rank < Math.floor(n / 2); rank++) {
    outside += 2 * binomial(n, rank) * 0.5 ** n;
    if (outside > 1 - CONFIDENCE) break;
    below = rank;
  }
  return { median, low: sorted[below], high: sorted[n - 1 - below] };
}

function binomial(n: number, k: number): number {
  let value = 1;
  for (let i = 0; i < k; i++) value = (value * (n - i)) / (i + 1);
  return value;
}

/** Whether two medians differ for sure: their intervals have nothing in common. */
export function differ(a: Summary, b: Summary): boolean {
  return a.high < b.low || b.high < a.low;
}
