import { halfSpread, median } from './measure.js';

/** One figure of a benchmark, beside a baseline measured in the same run where there is one. */
export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What `ratio` is of, in the same unit; null where the figure stands for itself. */
  readonly baseline: number | null;
  readonly ratio: number | null;
  /** Of the ratio if there is one, else of the value; null where nothing is claimed. */
  readonly target: number | null;
  readonly better: 'lower' | 'higher';
  readonly ok: boolean | null;
  /** The same of a QEMU that QEMU_QTEST names, where there is one. */
  readonly qtest?: number;
}

interface Claim {
  readonly better: 'lower' | 'higher';
  readonly target?: number;
  readonly baseline?: number;
  /** By how much the baseline differs from itself in the same run, as a share: what lies within it proves nothing. */
  readonly spread?: number;
  readonly qtest?: number;
}

/** A baseline that differs from itself by more than this tells nothing: no figure passes by it. */
const LARGEST_SPREAD = 0.1;

export function row(name: string, value: number, unit: string, claim: Claim): Row {
  const { better, target = null, baseline = null, spread = 0, qtest } = claim;
  const ratio = baseline === null ? null : value / baseline;
  const figure = ratio ?? value;
  const slack = Math.min(spread, LARGEST_SPREAD);
  let ok: boolean | null = null;
  if (target !== null) ok = better === 'lower' ? figure <= target * (1 + slack) : figure >= target * (1 - slack);
  return { name, value, unit, baseline, ratio, target, better, ok, ...(qtest !== undefined && { qtest }) };
}

/** How what is measured twice in each round differs from itself. */
export function selfRow(
  what: string,
  unit: string,
  better: Claim['better'],
  first: readonly number[],
  second: readonly number[],
): { readonly spread: number; readonly row: Row } {
  const spread = halfSpread(first.map((value, index) => second[index] / value));
  const name = `  A/A: ${what}, ±${(spread * 100).toFixed(1)} %`;
  return { spread, row: row(name, median(second), unit, { better, baseline: median(first) }) };
}

const text = (value: number | null) => (value === null ? '' : value < 100 ? value.toPrecision(3) : value.toFixed(0));

/** A line per row, for a terminal. */
export function printRow({ name, value, unit, ratio, target, better, ok, qtest }: Row): void {
  const claimed = target === null ? '' : `${better === 'lower' ? '≤' : '≥'} ${target}`;
  const verdict = ok === null ? '' : ok ? 'ok' : 'MISSED';
  const cells = [
    name.padEnd(64),
    text(value).padStart(9),
    unit.padEnd(12),
    (ratio === null ? '' : `${text(ratio)}×`).padStart(8),
  ];
  const third = qtest === undefined ? '' : ` QEMU by qtest: ${text(qtest)}`;
  process.stdout.write(`${[...cells, claimed.padStart(9), verdict].join(' ')}${third}\n`);
}
