import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { formatLoad } from '../lab/compare/condition.js';
import { type Cell, type Comparison, FIGURES, type Figure, HAZARDS, type Hazard } from '../lab/compare/figures.js';
import { formatValue } from '../lab/compare/format.js';
import { QUOTING_PAGES, withQuotes } from './quotes.js';

const ROOT = new URL('../../../', import.meta.url);
const RESULTS = new URL('../../../docs/results.json', import.meta.url);
const RAW = new URL('../../../.evidence/comparison.json', import.meta.url);
const COMMAND = 'npm run docs:comparison';

/** The BQL load of the base point, at which README and `docs/answer.md` quote figures. */
export const QUOTED_LOAD = 0.5;
export const QUOTED: readonly Figure[] = ['readP99', 'mmioP99', 'latenessP99', 'accesses'];

/** Counts that documents quote, even if they are 0. */
const QUOTED_HAZARDS: { readonly [locking: string]: readonly Hazard[] } = {
  'nested-mutex': ['deadlocks'],
  'deferred-irq': ['inverted', 'late'],
};

const SCALES: { readonly [unit: string]: number } = { ns: 1, µs: 1e3, ms: 1e6, s: 1e9, 'k/s': 1e3, 'M/s': 1e6 };

/** The name of a figure of a design in `docs/results.json`. */
export function resultName(locking: string, title: string): string {
  return `${locking}: ${title} at a BQL load of ${formatLoad(QUOTED_LOAD)}`;
}

/** The results of a comparison that documents quote. `commit` is the one that was measured. */
export function quotedResults(comparison: Comparison, commit: string): Record<string, object> {
  const results: Record<string, object> = {};
  const source = { commit, command: COMMAND };
  for (const cell of comparison.cells.filter(({ condition }) => condition === comparison.conditions[0].name)) {
    for (const figure of QUOTED) {
      results[resultName(cell.locking, FIGURES[figure].title)] = { ...figureOf(cell, figure), ...source };
    }
    const quoted = QUOTED_HAZARDS[cell.locking] ?? [];
    for (const hazard of HAZARDS.filter((name) => cell.hazards[name] > 0 || quoted.includes(name))) {
      results[resultName(cell.locking, hazard)] = { ...countOf(cell, hazard, comparison), ...source };
    }
  }
  return results;
}

function figureOf(cell: Cell, figure: Figure): object {
  const { median, low, high } = cell.figures[figure];
  const [, value, unit] = /^(\S+) (.+)$/.exec(formatValue(figure, median)) ?? ['', '0', 'ns'];
  const scaled = (raw: number) => Number((raw / SCALES[unit]).toPrecision(3));
  return { median: Number(value), low: scaled(low), high: scaled(high), unit };
}

function countOf(cell: Cell, hazard: Hazard, { rounds, partMs }: Comparison): object {
  return { median: cell.hazards[hazard], unit: `in ${rounds} rounds of ${2 * partMs} ms` };
}

function save(): void {
  const commit =
    process.argv[2] ?? execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], { encoding: 'utf8' }).trim();
  const results = JSON.parse(readFileSync(RESULTS, 'utf8'));
  const own = Object.keys(results).filter((name) => results[name].command === COMMAND);
  for (const name of own) delete results[name];
  const comparison: Comparison = JSON.parse(readFileSync(RAW, 'utf8'));
  const all = { ...results, ...quotedResults(comparison, commit) };
  writeFileSync(RESULTS, `${JSON.stringify(all, null, 2)}\n`);
  for (const page of QUOTING_PAGES) {
    const file = new URL(page, ROOT);
    writeFileSync(file, withQuotes(readFileSync(file, 'utf8'), all));
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname) save();
