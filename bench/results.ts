import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FILE = fileURLToPath(new URL('../../docs/results.json', import.meta.url));

/** A figure, and the interval of its median where it was measured in rounds. */
export interface Measured {
  readonly median: number;
  readonly low?: number;
  readonly high?: number;
  readonly unit: string;
}

const all = new Map<string, Measured>();

/** Prints a table: a title, then a line per figure; keeps the figures for `saveResults`. */
export function print(title: string, rows: { readonly [name: string]: Measured }): void {
  const width = Math.max(...Object.keys(rows).map((name) => name.length));
  process.stdout.write(`${title}\n`);
  for (const [name, figure] of Object.entries(rows)) {
    all.set(name, figure);
    const { median, low, high, unit } = figure;
    const interval = low === undefined || high === undefined ? '' : `  ${text(low)} to ${text(high)}`;
    process.stdout.write(`  ${name.padEnd(width)}  ${text(median).padStart(9)} ${unit}${interval}\n`);
  }
}

function text(value: number): string {
  return value < 100 ? value.toFixed(1) : value.toFixed(0);
}

/** With `--save`: writes the figures printed to `docs/results.json`, with the commit and the command. */
export function saveResults(command: string): void {
  if (!process.argv.includes('--save')) return;
  const commit = execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], { encoding: 'utf8' }).trim();
  const results = JSON.parse(readFileSync(FILE, 'utf8'));
  const round = (value: number | undefined) => (value === undefined ? undefined : Number(value.toPrecision(3)));
  for (const [name, { median, low, high, unit }] of all) {
    results[name] = { median: round(median), low: round(low), high: round(high), unit, commit, command };
  }
  writeFileSync(FILE, `${JSON.stringify(results, null, 2)}\n`);
}
