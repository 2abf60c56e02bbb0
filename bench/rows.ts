import { halfSpread, median } from './measure.js';

/** One figure of a benchmark, beside a baseline measured in the same run where there is one. */
export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** In the same unit; null where the figure stands for itself. */
  readonly baseline: number | null;
  /** Of rounds that alternate, the median of each one's ratio, because the machine changes from one to the next; else of both figures. */
  readonly ratio: number | null;
  /** Of the ratio if there is one, else of the value; null where nothing is claimed. */
  readonly target: number | null;
  readonly better: 'lower' | 'higher';
  readonly ok: boolean | null;
  /** A ratio may miss its target by this share, half of what lies between the quartiles of the baseline's ratio to itself. */
  readonly spread?: number;
  /** The same of a QEMU that QEMU_QTEST names, where there is one. */
  readonly qtest?: number;
}

interface Claim {
  readonly better: 'lower' | 'higher';
  readonly target?: number;
  readonly baseline?: number;
  /** Where it is not simply that of both figures. */
  readonly ratio?: number;
  /** By how much the baseline differs from itself in the same run, as a share: what lies within it proves nothing. */
  readonly spread?: number;
  readonly qtest?: number;
}

/** A baseline that differs from itself by more than this excuses no more than this. */
const LARGEST_SPREAD = 0.1;

/** Before the name of the row that follows a figure, and tells how its baseline differs from itself. */
const SELF = 'A/A: ';

/** A figure that stands for itself meets its target or misses it; `spread` is for ratios. */
export function row(name: string, value: number, unit: string, claim: Claim): Row {
  const { better, target = null, baseline = null, spread, qtest } = claim;
  const ratio = baseline === null ? null : (claim.ratio ?? value / baseline);
  const figure = ratio ?? value;
  const slack = ratio === null ? 0 : Math.min(spread ?? 0, LARGEST_SPREAD);
  let ok: boolean | null = null;
  if (target !== null) ok = better === 'lower' ? figure <= target * (1 + slack) : figure >= target * (1 - slack);
  const optional = { ...(spread !== undefined && { spread }), ...(qtest !== undefined && { qtest }) };
  return { name, value, unit, baseline, ratio, target, better, ok, ...optional };
}

/** A baseline as it was measured twice in each round. */
export interface Twice {
  readonly first: readonly number[];
  readonly second: readonly number[];
}

/** How what is measured twice in each round differs from itself; `name` is of the figure that it is the baseline of. */
export function selfRow(
  name: string,
  unit: string,
  better: Claim['better'],
  { first, second }: Twice,
): Row & { readonly spread: number } {
  const ratios = first.map((value, index) => second[index] / value);
  const spread = halfSpread(ratios);
  return {
    ...row(SELF + name, median(second), unit, { better, baseline: median(first), ratio: median(ratios) }),
    spread,
  };
}

/** A figure that stands for itself, of all rounds and both halves of each, and how the halves differ. */
export function absoluteRows(name: string, unit: string, claim: Pick<Claim, 'better' | 'target'>, twice: Twice): Row[] {
  const value = median([...twice.first, ...twice.second]);
  return [row(name, value, unit, claim), selfRow(name, unit, claim.better, twice)];
}

/** A figure as a ratio to a baseline that was measured before and after it in each round. */
export function ratioRows(
  name: string,
  unit: string,
  claim: Pick<Claim, 'better' | 'target' | 'qtest'>,
  own: readonly number[],
  base: Twice,
): Row[] {
  const self = selfRow(name, unit, claim.better, base);
  const around = base.first.map((value, index) => (value + base.second[index]) / 2);
  const ratio = median(own.map((value, index) => value / around[index]));
  return [row(name, median(own), unit, { ...claim, baseline: median(around), ratio, spread: self.spread }), self];
}

const NAME_WIDTH = 96;

const text = (value: number | null) => (value === null ? '' : value < 100 ? value.toPrecision(3) : value.toFixed(0));

/** A line per row, for a terminal. */
export function printRow({ name, value, unit, ratio, target, better, ok, spread, qtest }: Row): void {
  const claimed = target === null ? '' : `${better === 'lower' ? '≤' : '≥'} ${target}`;
  const verdict = ok === null ? '' : ok ? 'ok' : 'MISSED';
  const isSelf = name.startsWith(SELF);
  const off = isSelf && spread !== undefined ? `±${(spread * 100).toFixed(1)} %` : '';
  const cells = [
    `${isSelf ? '  ' : ''}${name}`.padEnd(NAME_WIDTH),
    text(value).padStart(9),
    unit.padEnd(13),
    (ratio === null ? '' : `${text(ratio)}×`).padStart(8),
    (off || claimed).padStart(9),
    verdict,
  ];
  const third = qtest === undefined ? '' : ` QEMU by qtest: ${text(qtest)}`;
  process.stdout.write(`${cells.join(' ').trimEnd()}${third}\n`);
}
