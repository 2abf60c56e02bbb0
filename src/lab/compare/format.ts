import { FIGURES, type Figure, type Summary } from './figures.js';

/** A number of a figure's unit for people: three digits, and a unit that suits it. */
export function formatValue(figure: Figure, value: number): string {
  const { unit } = FIGURES[figure];
  if (unit === 'count') return value.toFixed(0);
  if (unit === '%') return `${value.toFixed(1)} %`;
  if (unit === '1/s') return value >= 1e6 ? `${(value / 1e6).toFixed(2)} M/s` : `${(value / 1e3).toFixed(0)} k/s`;
  if (value === 0) return '–';
  // Three digits of a value just below the next unit round up to it.
  if (value < 999.5) return `${value.toFixed(0)} ns`;
  if (value < 999.5e3) return `${(value / 1e3).toPrecision(3)} µs`;
  if (value < 999.5e6) return `${(value / 1e6).toPrecision(3)} ms`;
  return `${(value / 1e9).toPrecision(3)} s`;
}

/** A median with its interval. */
export function formatSummary(figure: Figure, { median, low, high }: Summary): string {
  const text = formatValue(figure, median);
  return text === '–' ? text : `${text} [${formatValue(figure, low)}, ${formatValue(figure, high)}]`;
}

/** A ratio, of two digits at least: `2.7 ×`. */
export function formatFactor(factor: number): string {
  return `${factor < 9.95 ? factor.toFixed(1) : factor.toFixed(0)} ×`;
}
