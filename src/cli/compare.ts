import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { loadOwnDesign } from '../config/own-design.js';
import { PRESET_NAMES } from '../core/locking/presets.js';
import { captionOf, chartsOf, picture } from '../lab/compare/chart.js';
import { compare as measureAll } from '../lab/compare/comparison.js';
import {
  basePoint,
  type Circumstances,
  type Condition,
  conditionsOf,
  FACTORS,
  type Factor,
  HOLDERS,
  type Holds,
  isJudged,
  MUTEXES,
  WORKLOADS,
} from '../lab/compare/condition.js';
import { type Comparison, FIGURES, type Figure } from '../lab/compare/figures.js';
import { formatValue } from '../lab/compare/format.js';
import { toHtml } from '../lab/compare/html.js';
import { type Picture, toMarkdown } from '../lab/compare/markdown.js';
import { contradictions, JUDGED } from '../lab/compare/ranking.js';
import { verdict } from '../lab/compare/verdict.js';
import { MAX_VCPUS } from '../lab/compare/workload.js';
import { designOption, listOf, parseLate, whole } from './arguments.js';
import { Progress, STANDARD_OUTPUT, wrapped, writeOutput } from './terminal.js';

interface Options {
  readonly locking?: string;
  readonly design?: string;
  readonly bqlLoad?: readonly number[];
  readonly holds?: readonly Holds[];
  readonly vcpus?: readonly number[];
  readonly mutex?: readonly Circumstances['mutex'][];
  readonly workload?: readonly Circumstances['workload'][];
  readonly rounds: number;
  readonly partMs: number;
  readonly seed: number;
  readonly json?: string | true;
  readonly html?: string;
  readonly markdown?: string;
  readonly pictures?: string;
  readonly from?: string;
  readonly against?: string;
}

const HELP = `
The base point is ${basePoint(conditionsOf({})[0])}.
Every other condition differs from it in one factor. Without --bql-load, --holds, --vcpus, --mutex and --workload, all
factors are varied, which takes about half an hour; with any of them, only those that are given.

Each round measures every design under every condition, in turn, so that noise hits all alike. Times of paced accesses
run from their intended start, so that those behind a slow one count as slow. Conditions with more runnable threads than
cores are marked * and not judged. The verdict claims what intervals of 95 % confidence tell apart: with fewer than 6
rounds that is nothing.

Exit status: 0 all was measured; 1 with --against, the two runs claim the opposite of each other somewhere; 2 nothing
could be measured; 130 after Ctrl-C.

Example:
  npx southbridge compare --locking bql,lockless-timer,lockless-irq --bql-load 0,50 --html report.html`;

const LOCKING = '--locking <presets>';

export const compare = new Command('compare')
  .description('measure locking designs side by side, on real threads, and print the conclusion')
  .addOption(new Option(LOCKING, 'separated by commas; with --design also its name (default: all)'))
  .addOption(designOption())
  .addOption(
    new Option('--bql-load <percentages>', 'shares of the time for which other work holds the BQL').argParser(loads),
  )
  .addOption(
    new Option('--holds <list>', 'who holds the BQL, and for how many µs, as background:500,vcpus:50').argParser(holds),
  )
  .addOption(new Option('--vcpus <list>', `vCPU threads: 1 to ${MAX_VCPUS}`).argParser(vcpuCounts))
  .addOption(
    new Option('--mutex <list>', `kinds of lock: ${MUTEXES.join(',')}`).argParser(
      listOf('mutex', MUTEXES, findIn(MUTEXES)),
    ),
  )
  .addOption(
    new Option('--workload <list>', `accesses of the vCPUs: ${WORKLOADS.join(',')}`).argParser(
      listOf('workload', WORKLOADS, findIn(WORKLOADS)),
    ),
  )
  .addOption(new Option('--rounds <n>', 'rounds').argParser(whole(1, 1000)).default(9))
  .addOption(
    new Option('--part-ms <ms>', 'length of each of the two parts of a measurement')
      .argParser(whole(10, 60_000))
      .default(400),
  )
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

function vcpuCounts(text: string): number[] {
  return [...new Set(text.split(',').map(whole(1, MAX_VCPUS)))];
}

const LONGEST_HOLD_US = 100_000;

function holds(text: string): Holds[] {
  return text.split(',').map((item) => {
    const [name, length = '', ...others] = item.split(':');
    const holder = HOLDERS.find((each) => each === name);
    if (holder === undefined || others.length > 0) {
      throw new InvalidArgumentError(`Each item is ${HOLDERS.join(' or ')}, a colon, and a number of µs.`);
    }
    return { holder, ns: whole(1, LONGEST_HOLD_US)(length) * 1000 };
  });
}

function findIn<T extends string>(values: readonly T[]): (name: string) => T | undefined {
  return (name) => values.find((value) => value === name);
}

/** The conditions that the options ask for; all factors are varied if none of them is given. */
function conditionsFor({ bqlLoad, holds, vcpus, mutex, workload }: Options): Condition[] {
  const given = { load: bqlLoad, holds, vcpus, mutex, workload };
  const isAny = (Object.keys(FACTORS) as Factor[]).some((factor) => given[factor] !== undefined);
  return conditionsOf(isAny ? given : FACTORS);
}

async function run(options: Options, command: Command): Promise<void> {
  const { rounds, partMs, seed, json, html, markdown, pictures, from, against } = options;
  const designs = await designsOf(options, command);
  const earlier = against === undefined ? undefined : readEarlier(against, command);
  const comparison =
    from === undefined
      ? await measure({ designs, conditions: conditionsFor(options), rounds, partMs, seed })
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
  const opposed = contradictions(comparison, earlier, JUDGED);
  for (const { condition, figure, better, worse } of opposed) {
    process.stderr.write(
      `${FIGURES[figure].title}, ${condition}: ${better} before ${worse}, and the other way round before\n`,
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
    return await measureAll(options, (done, all, locking, { name }) => {
      text = `${progress.of(done, all)}: ${locking}, ${name}`;
    });
  } finally {
    progress.end();
  }
}

/** Returns the files as the page of Markdown names them. */
function draw(comparison: Comparison, folder: string, page = ''): Picture[] {
  mkdirSync(folder, { recursive: true });
  return chartsOf(comparison).map((drawn) => {
    const file = join(folder, `comparison-${drawn.name}.svg`);
    writeFileSync(file, picture(comparison, drawn));
    return { title: captionOf(comparison, drawn), file: relative(dirname(page), file) };
  });
}

function readEarlier(file: string, command: Command): Comparison {
  try {
    const earlier: Comparison = JSON.parse(readFileSync(file, 'utf8'));
    if (Array.isArray(earlier.cells) && Array.isArray(earlier.conditions)) return earlier;
  } catch {}
  return command.error(`error: ${file} is no file that southbridge compare --json of this version wrote`);
}

/** Columns of the tables of a condition, each with its heading and what it is. */
const TABLES: readonly (readonly (readonly [heading: string, figure: Figure, explanation: string])[])[] = [
  [
    ['accesses', 'accesses', 'accesses per second, as fast as they go'],
    ['read p99', 'readP99', '99th percentile of a read of the main counter by itself, paced'],
    ['mmio p99', 'mmioP99', '99th percentile of an access from its intended start, paced'],
    ['p99.9', 'mmioP999', 'the same, 99.9th percentile'],
    ['late p99', 'latenessP99', 'lateness of timer callbacks'],
    ['irq p99', 'interruptP99', 'from a deadline to the interrupt'],
  ],
  [
    ['response', 'readResponseP99', '99th percentile of a counter read from its intended start'],
    ['alone', 'uncontended', 'median access of one vCPU alone, without BQL load'],
    ['fairness', 'fairness', 'accesses of the slowest vCPU, as a share of those of the fastest'],
    ['convoy', 'convoy', 'most acquisitions of a lock in a row by one vCPU that each waited'],
    ['loop p50', 'mainLoopP50', 'median time of a control request to the main loop'],
    ['loop p99', 'mainLoopP99', 'the same, 99th percentile'],
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

/** Three tables per condition, what their columns are, and the verdict; 80 columns wide. */
function textOf(comparison: Comparison): string {
  const lines: string[] = [];
  for (const condition of comparison.conditions) {
    const mark = isJudged(condition, comparison.machine.cores) ? '' : '*';
    lines.push(condition.name);
    for (const [index, columns] of TABLES.entries()) {
      const isLast = index === TABLES.length - 1;
      const rows = [
        ['design', ...columns.map(([heading]) => heading), ...(isLast ? HAZARDS.map(([heading]) => heading) : [])],
        ...comparison.cells
          .filter((cell) => cell.condition === condition.name)
          .map(({ locking, figures, hazards }) => [
            `${locking}${mark}`,
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
