import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { clearLine, cursorTo } from 'node:readline';
import { Command, InvalidArgumentError, Option } from 'commander';
import { PRESET_NAMES, type PresetName } from '../core/locking/presets.js';
import { CHARTED, captionOf, picture } from '../lab/compare/chart.js';
import { compare as run } from '../lab/compare/comparison.js';
import { type Comparison, FIGURE_NAMES, FIGURES, type Figure } from '../lab/compare/figures.js';
import { formatLoad, formatValue } from '../lab/compare/format.js';
import { toHtml } from '../lab/compare/html.js';
import { type Picture, toMarkdown } from '../lab/compare/markdown.js';
import { contradictions } from '../lab/compare/ranking.js';
import { JUDGED, verdict } from '../lab/compare/verdict.js';
import { MAX_VCPUS } from '../lab/compare/workload.js';
import { whole } from './arguments.js';

interface Options {
  readonly locking: readonly PresetName[];
  readonly bqlLoad: readonly number[];
  readonly rounds: number;
  readonly partMs: number;
  readonly vcpus: number;
  readonly seed: number;
  readonly json?: string;
  readonly html?: string;
  readonly markdown?: string;
  readonly pictures?: string;
  readonly from?: string;
  readonly against?: string;
}

const HELP = `
Each round measures every design under every load, in turn, so that noise hits all alike. What is claimed in the verdict
is what intervals of 95 % confidence tell apart: with fewer than 6 rounds that is nothing.

Exit status: 0 all was measured; 1 with --against, the two runs claim the opposite of each other somewhere.

Example:
  southbridge compare --locking bql,lockless-timer,lockless-irq --bql-load 0,50 --html report.html`;

export const compare = new Command('compare')
  .description('measure locking designs side by side, on real threads, and tell what follows')
  .addOption(new Option('--locking <presets>', 'separated by commas').argParser(presets).default(PRESET_NAMES, 'all'))
  .addOption(
    new Option('--bql-load <percentages>', 'shares of the time for which the main loop holds the BQL')
      .argParser(loads)
      .default([0, 0.25, 0.5, 0.75], '0,25,50,75'),
  )
  .addOption(new Option('--rounds <n>', 'rounds').argParser(whole(1, 1000)).default(7))
  .addOption(
    new Option('--part-ms <ms>', 'length of each of the two parts of a measurement')
      .argParser(whole(10, 60_000))
      .default(250),
  )
  .addOption(new Option('--vcpus <n>', 'vCPU threads').argParser(whole(1, MAX_VCPUS)).default(2))
  .addOption(new Option('--seed <n>', 'of the accesses').argParser(whole(1, 2 ** 31 - 1)).default(1))
  .option('--json <file>', 'write all figures; - is standard output, and nothing else goes there then')
  .option('--html <file>', 'write one page with charts that needs no other file')
  .option('--markdown <file>', 'write a page of Markdown')
  .option('--pictures <folder>', 'write the charts as SVG files, which the page of Markdown then shows')
  .option('--from <file>', 'measure nothing: show figures that --json wrote')
  .option('--against <file>', 'figures of an earlier run (--json): tell where the two claim the opposite')
  .addHelpText('after', HELP)
  .action(carryOut);

function presets(text: string): PresetName[] {
  const names = text === 'all' ? PRESET_NAMES : text.split(',');
  for (const name of names) {
    if (!(PRESET_NAMES as readonly string[]).includes(name)) {
      throw new InvalidArgumentError(`There is no design ${name}; there are ${PRESET_NAMES.join(', ')}.`);
    }
  }
  return [...new Set(names)] as PresetName[];
}

function loads(text: string): number[] {
  const values = text.split(',').map(whole(0, 95));
  return [...new Set(values)].sort((a, b) => a - b).map((value) => value / 100);
}

async function carryOut(options: Options, command: Command): Promise<void> {
  const {
    locking: designs,
    bqlLoad,
    rounds,
    partMs,
    vcpus,
    seed,
    json,
    html,
    markdown,
    pictures,
    from,
    against,
  } = options;
  const earlier = against === undefined ? undefined : readEarlier(against, command);
  const comparison =
    from === undefined
      ? await run({ designs, loads: bqlLoad, rounds, partMs, vcpus, seed }, progress)
      : readEarlier(from, command);
  if (process.stderr.isTTY) progressEnds();
  if (json !== '-') process.stdout.write(textOf(comparison));
  if (json !== undefined) {
    const text = `${JSON.stringify(comparison, null, 2)}\n`;
    if (json === '-') process.stdout.write(text);
    else writeFileSync(json, text);
  }
  if (html !== undefined) writeFileSync(html, toHtml(comparison));
  const drawn = pictures === undefined ? [] : draw(comparison, pictures, markdown);
  if (markdown !== undefined) writeFileSync(markdown, toMarkdown(comparison, drawn));
  if (!earlier) return;
  const opposed = contradictions(comparison.cells, earlier.cells, JUDGED);
  for (const { load, figure, better, worse } of opposed) {
    process.stderr.write(
      `${FIGURES[figure].title} at ${formatLoad(load)}: ${better} before ${worse}, and the other way round before\n`,
    );
  }
  process.stderr.write(`${opposed.length} claims of this run are the opposite of the earlier one's\n`);
  if (opposed.length > 0) process.exitCode = 1;
}

/** Returns the files as the page of Markdown names them. */
function draw(comparison: Comparison, folder: string, page = ''): Picture[] {
  mkdirSync(folder, { recursive: true });
  return CHARTED.map((figure) => {
    const file = join(folder, `comparison-${figure}.svg`);
    writeFileSync(file, picture(comparison, figure));
    return { title: captionOf(comparison, figure), file: relative(dirname(page), file) };
  });
}

function readEarlier(file: string, command: Command): Comparison {
  try {
    const earlier: Comparison = JSON.parse(readFileSync(file, 'utf8'));
    if (Array.isArray(earlier.cells)) return earlier;
  } catch {}
  return command.error(`error: ${file} is no file that southbridge compare --json wrote`);
}

function progress(done: number, all: number, locking: string, load: number): void {
  if (!process.stderr.isTTY) return;
  progressEnds();
  process.stderr.write(`${done} of ${all}: ${locking}, BQL load ${formatLoad(load)}`);
}

function progressEnds(): void {
  clearLine(process.stderr, 0);
  cursorTo(process.stderr, 0);
}

const SHOWN: readonly Figure[] = FIGURE_NAMES.filter(
  (name) => !['readP50', 'mmioP50', 'latenessP50', 'interruptP50'].includes(name),
);

/** A table per load, and the verdict. */
function textOf(comparison: Comparison): string {
  const lines: string[] = [];
  for (const load of comparison.loads) {
    const rows = [
      ['design', 'class', ...SHOWN.map((name) => SHORT[name] ?? name), 'late', 'inv', 'dead', 'order'],
      ...comparison.cells
        .filter((cell) => cell.load === load)
        .map(({ locking, class: kind, figures, hazards }) => [
          locking,
          kind,
          ...SHOWN.map((name) => formatValue(name, figures[name].median)),
          ...Object.values(hazards).map(String),
        ]),
    ];
    const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
    lines.push(`BQL load ${formatLoad(load)}`);
    for (const row of rows)
      lines.push(row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '));
    lines.push('');
  }
  const { correctness, cost, conclusion, carriesOver } = verdict(comparison);
  for (const [title, sentences] of [
    ['Correctness (explored, not measured)', correctness],
    ['Cost (measured)', cost],
    ['In short', conclusion],
    ['What carries over', carriesOver],
  ] as const) {
    lines.push(title, ...sentences.map((sentence) => `  ${sentence.replaceAll('`', '')}`), '');
  }
  return lines.join('\n');
}

const SHORT: { readonly [figure in Figure]?: string } = {
  accesses: 'accesses',
  readP99: 'read p99',
  mmioP99: 'mmio p99',
  mmioP999: 'p99.9',
  latenessP99: 'late p99',
  interruptP99: 'irq p99',
  contended: 'waited',
  waiting: 'waiting',
  reacquire: 'regain',
  nested: 'nested',
};
