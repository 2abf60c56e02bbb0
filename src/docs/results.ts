import { readdirSync, readFileSync } from 'node:fs';
import { code, table } from './markdown.js';

const DOCS = new URL('../../../docs/', import.meta.url);
const BLOCK = /<!-- results: (.*?) -->\n.*?<!-- end of results -->/gs;

/** An entry of `docs/results.json`. Figures recorded before that file existed have no interval, some only a range of runs. */
interface Result {
  readonly median: number | null;
  readonly range?: readonly [low: number, high: number];
  readonly low?: number;
  readonly high?: number;
  readonly unit: string;
  readonly commit: string;
  readonly command: string;
}

/** Pages of `docs` that quote results. */
export function pagesWithResults(): string[] {
  return readdirSync(DOCS, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md') && /^<!-- results: /m.test(readFileSync(new URL(file, DOCS), 'utf8')))
    .sort();
}

/** The text of a page with the tables of results as `docs/results.json` has them. */
export function withResults(text: string): string {
  const results: Record<string, Result> = JSON.parse(readFileSync(new URL('results.json', DOCS), 'utf8'));
  return text.replace(BLOCK, (_, names: string) => {
    const rows = names.split('; ').map((name) => resultRow(name, results[name]));
    const shown = table(['figure', 'median', '95 % interval', 'commit', 'command'], rows);
    return `<!-- results: ${names} -->\n\n${shown}\n\n<!-- end of results -->`;
  });
}

function resultRow(name: string, result: Result | undefined): string[] {
  if (!result) throw new Error(`docs/results.json has no result ${name}`);
  const { median, range, low, high, unit, commit, command } = result;
  const value = range ? `range ${range.join(' to ')} ${unit}` : `${median} ${unit}`;
  const interval = low === undefined ? '' : `${low} to ${high}`;
  return [name, value, interval, commit, code(command)];
}
