import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { Command, Option } from 'commander';
import { loadOwnDesign } from '../config/own-design.js';
import { PRESET_NAMES } from '../core/locking/presets.js';
import { CHARTED, captionOf, picture } from '../lab/compare/chart.js';
import { compare as measureAll } from '../lab/compare/comparison.js';
import { type Comparison, FIGURES, type Figure } from '../lab/compare/figures.js';
import { formatLoad, formatValue } from '../lab/compare/format.js';
import { toHtml } from '../lab/compare/html.js';
import { type Picture, toMarkdown } from '../lab/compare/markdown.js';
import { contradictions, isJudged } from '../lab/compare/ranking.js';
import { JUDGED, verdict } from '../lab/compare/verdict.js';
import { MAX_VCPUS } from '../lab/compare/workload.js';
import { designOption, listOf, parseLate, whole } from './arguments.js';
import { Progress, STANDARD_OUTPUT, wrapped, writeOutput } from './terminal.js';

interface Options {
  readonly locking?: string;
  readonly design?: string;
  readonly bqlLoad: readonly number[];
  readonly rounds: number;
  readonly partMs: number;
  readonly vcpus: number;
  readonly seed: number;
  readonly json?: string | true;
  readonly html?: string;
  readonly markdown?: string;
  readonly pictures?: string;
  readonly from?: string;
  readonly against?: string;
}

const HELP = `
Each round measures every design under every load, in turn, so that noise hits all alike. What is claimed in the verdict
is what intervals of 95 % confidence tell apart: with fewer than 6 rounds that is nothing.

Exit status: 0 all was measured; 1 with --against, the two runs claim the opposite of each other somewhere; 2 nothing
could be measured; 130 after Ctrl-C.

Example:
  npx southbridge compare --locking bql,lockless-timer,lockless-irq --bql-load 0,50 --html report.html`;

const LOCKING = '--locking <presets>';

export const compare = new Command('compare')
  .description('measure locking designs side by side, on real threads, and tell what follows')
  .addOption(new Option(LOCKING, 'separated by commas; with --design also its name (default: all)'))
  .addOption(designOption())
  .addOption(
    new Option('--bql-load <percentages>', 'shares of the time for which background work holds the BQL')
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
  .addOption(new Option('--seed <n>', 'seed of the accesses').argParser(whole(1, 2 ** 31 - 1)).default(1))
  .option('--json [file]', 'print all figures as one JSON document, or write them to a file')
  .option('--html <file>', 'write one self-contained page with charts; - is standard output')
  .option('--markdown <file>', 'write a page of Markdown; - is standard output')
  .option('--pictures <folder>', 'write the charts as SVG files; the Markdown page shows them')
  .option('--from <file>', 'do not measure: show figures that --json wrote')
  .option('--against <file>', 'figures of an earlier run (--json): list the claims on which the two runs disagree')
  .addHelpText('after', HELP)
  .action(run);

function loads(text: string): number[] {
  const values = text.split(',').map(whole(0, 95));
  return [...new Set(values)].sort((a, b) => a - b).map((value) => value / 100);
}

async function run(options: Options, command: Command): Promise<void> {
  const { bqlLoad, rounds, partMs, vcpus, seed, json, html, markdown, pictures, from, against } = options;
  const designs = await designsOf(options, command);
  const earlier = against === undefined ? undefined : readEarlier(against, command);
  const comparison =
    from === undefined
      ? await measure({ designs, loads: bqlLoad, rounds, partMs, vcpus, seed })
      : readEarlier(from, command);
  const drawn = pictures === undefined ? [] : draw(comparison, pictures, markdown);
  const outputs: readonly [string | undefined, () => string][] = [
    [json === true ? STANDARD_OUTPUT : json, () => `${JSON.stringify(comparison, null, 2)}\n`],
    [html, () => toHtml(comparison)],
    [markdown, () => toMarkdown(comparison, drawn)],
  ];
  if (!outputs.some(([file]) => file === STANDARD_OUTPUT)) process.stdout.write(textOf(comparison));
  for (const [file, text] of outputs) if (file !== undefined) await writeOutput(file, text());
  if (!earlier) return;
  const areJudged = isJudged(comparison) && isJudged(earlier);
  const opposed = areJudged ? contradictions(comparison.cells, earlier.cells, JUDGED) : [];
  for (const { load, figure, better, worse } of opposed) {
    process.stderr.write(
      `${FIGURES[figure].title} at ${formatLoad(load)}: ${better} before ${worse}, and the other way round before\n`,
    );
  }
  process.stderr.write(`${opposed.length} claims of this run are the opposite of the earlier one's\n`);
  if (opposed.length > 0) process.exitCode = 1;
}

/** The names of the designs to measure: those of `--locking`, else all and the one of `--design`. */
async function designsOf({ locking, design }: Options, command: Command): Promise<readonly string[]> {
  const own = design === undefined ? [] : [(await loadOwnDesign(design)).name];
  const known = [...PRESET_NAMES, ...own];
  const parse = listOf('design', known, (name) => known.find((each) => each === name));
  return locking === undefined ? known : parseLate(command, LOCKING, locking, parse);
}

async function measure(options: Parameters<typeof measureAll>[0]): Promise<Comparison> {
  let text = '';
  const progress = new Progress(() => text);
  try {
    return await measureAll(options, (done, all, locking, load) => {
      text = `${progress.of(done, all)}: ${locking}, BQL load ${formatLoad(load)}`;
    });
  } finally {
    progress.end();
  }
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

/** Columns of the two tables of a load, each with its heading and what it is. */
const TABLES: readonly (readonly (readonly [heading: string, figure: Figure, explanation: string])[])[] = [
  [
    ['accesses', 'accesses', 'accesses per second, as fast as they go'],
    ['read p99', 'readP99', '99th percentile of a read of the main counter, paced'],
    ['mmio p99', 'mmioP99', '99th percentile of other accesses, paced'],
    ['p99.9', 'mmioP999', 'the same, 99.9th percentile'],
    ['late p99', 'latenessP99', 'lateness of timer callbacks'],
    ['irq p99', 'interruptP99', 'from a deadline to the interrupt'],
  ],
  [
    ['waited', 'contended', 'share of lock acquisitions that had to wait'],
    ['waiting', 'waiting', 'share of the time spent waiting for locks'],
    ['regain', 'reacquire', 'time until the main loop has the BQL back after a callback'],
    ['nested', 'nested', 'time waited for the BQL with the device mutex held'],
  ],
];

const HAZARDS = [
  ['late', 'deferred line changes applied after a newer one was decided'],
  ['inv', 'applied after a newer one was applied: the line may stay wrong'],
  ['dead', 'deadlocks'],
  ['order', 'inverted lock orders'],
] as const;

/** Two tables per load, what their columns are, and the verdict; 80 columns wide. */
function textOf(comparison: Comparison): string {
  const lines: string[] = [];
  for (const load of comparison.loads) {
    lines.push(`BQL load ${formatLoad(load)}`);
    for (const [index, columns] of TABLES.entries()) {
      const isLast = index === TABLES.length - 1;
      const rows = [
        ['design', ...columns.map(([heading]) => heading), ...(isLast ? HAZARDS.map(([heading]) => heading) : [])],
        ...comparison.cells
          .filter((cell) => cell.load === load)
          .map(({ locking, figures, hazards }) => [
            `${locking}${isJudged(comparison) ? '' : '*'}`,
            ...columns.map(([, figure]) => formatValue(figure, figures[figure].median)),
            ...(isLast ? Object.values(hazards).map(String) : []),
          ]),
      ];
      lines.push(...tableOf(rows), '');
    }
  }
  lines.push('Columns (medians over all rounds)');
  const explained = [...TABLES.flat().map(([heading, , text]) => [heading, text]), ...HAZARDS];
  for (const [heading, text] of explained) lines.push(`  ${heading.padEnd(9)} ${text}`);
  lines.push('', ...verdictOf(comparison));
  return lines.join('\n');
}

function tableOf(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '),
  );
}

function verdictOf(comparison: Comparison): string[] {
  const { correctness, cost, conclusion, carriesOver } = verdict(comparison);
  const parts = [
    ['Correctness (explored, not measured)', correctness],
    ['Cost (measured)', cost],
    ['In short', conclusion],
    ['What carries over', carriesOver],
  ] as const;
  return parts.flatMap(([title, sentences]) => [
    title,
    ...sentences.map((sentence) => wrapped(`  ${sentence.replaceAll('`', '')}`)),
    '',
  ]);
}
