import { formatLoad } from '../compare/condition.js';
import type { Cell, Figure } from '../compare/figures.js';
import { formatValue } from '../compare/format.js';
import { verdict } from '../compare/verdict.js';
import type { CampaignResult } from '../explore/campaign.js';
import { faults, worstFirst } from '../explore/finding.js';
import { replayString } from '../explore/replay-string.js';
import type { Boot } from './boot.js';
import type { DemoResult } from './demo.js';

const WIDTH = 80;
const COLUMNS: readonly (readonly [Figure, string])[] = [
  ['accesses', 'accesses'],
  ['readP99', 'read p99'],
  ['mmioP99', 'MMIO p99'],
  ['latenessP99', 'lateness p99'],
  ['waiting', 'waiting'],
];

/** What a demo says, computed from its results. `command` is how this program is called here. */
export function demoText(result: DemoResult, command: string): string {
  const { boot, comparison, explorations, scenario, seconds } = result;
  const { cpu, cores, node } = comparison.machine;
  const [{ load, vcpus }] = comparison.conditions;
  return [
    `Southbridge on ${cores} cores (${cpu}), Node ${node}; ${seconds.toFixed(0)} s in all.`,
    ...part('1. A guest boots', bootSentences(boot)),
    ...part('2. Three designs, measured', [
      `${vcpus} vCPUs as threads, while other work holds the BQL ${formatLoad(load)} of the time; medians of ${comparison.rounds} rounds.`,
    ]),
    '',
    ...table(comparison.cells),
    '',
    ...costs(result).flatMap((sentence) => wrapped(sentence)),
    ...part('3. Two designs, explored', [
      `Every interleaving of the code that serves, for ${scenario.description}.`,
      ...explorations.flatMap((exploration) => explorationSentences(exploration, command)),
    ]),
    ...part('What it means', meaning(result)),
    ...part('Go on', []),
    `  ${command} serve`,
    `  ${command} compare --bql-load 0,50 --html report.html`,
    `  ${command} explore --scenario ${scenario.name} --locking all`,
    `  ${command} trace record --machine default --duration 2`,
    '',
  ].join('\n');
}

function part(title: string, sentences: readonly string[]): string[] {
  return ['', title, ...sentences.flatMap((sentence) => wrapped(sentence))];
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}

function bootSentences({ name, url, locking, seconds, reads, writes, raises, messages, mismatch }: Boot): string[] {
  const extent = `${count(reads)} reads, ${count(writes)} writes in ${seconds.toFixed(1)} s`;
  const said = `A server at ${url} replayed the recorded trace ${name} on a machine with locking ${locking}: ${extent}.`;
  if (mismatch) {
    const { step, operation, expected, got } = mismatch;
    return [said, `Step ${step}, ${operation}, was expected to give ${expected} and gave ${got}.`];
  }
  return [
    said,
    `Every value read was the recorded one; the HPET raised a line ${count(raises)} times, and ${count(messages)} messages went to local APICs.`,
  ];
}

function table(cells: readonly Cell[]): string[] {
  const rows = [
    ['design', 'class', ...COLUMNS.map(([, title]) => title)],
    ...cells.map((cell) => [
      cell.locking,
      cell.class,
      ...COLUMNS.map(([figure]) => formatValue(figure, cell.figures[figure].median)),
    ]),
  ];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map(
    (row) => `  ${row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')}`,
  );
}

/** What the intervals of the figures allow to say. */
function costs({ comparison }: DemoResult): string[] {
  return verdict(comparison).cost.map(plain);
}

function explorationSentences(result: CampaignResult, command: string): string[] {
  const { locking, states, transitions, complete, findings, seconds } = result;
  const extent = `${count(states)} states, ${count(transitions)} transitions in ${seconds.toFixed(1)} s`;
  const scope = complete ? 'all there are' : 'not all there are';
  const [first] = worstFirst(faults(findings));
  if (!first) return [`${locking}: nothing wrong in ${extent}, ${scope}.`];
  return [
    `${locking}: ${first.kind} in ${extent}, ${scope}. The shortest way there: ${first.summary}.`,
    'To see it step by step:',
    `  ${command} explore --replay ${replayString(result, first)}`,
  ];
}

function meaning(result: DemoResult): string[] {
  const { boot, comparison } = result;
  return [
    boot.mismatch
      ? 'The guest saw other values than when it was recorded: what follows is of devices that are not right.'
      : 'The devices are what the guest was recorded with, so what the designs differ in is locking.',
    waiting(comparison.cells),
    ...result.explorations.map(verdictOf),
    ...verdict(comparison).conclusion.map(plain),
  ];
}

function waiting(cells: readonly Cell[]): string {
  const sorted = [...cells].sort((a, b) => b.figures.waiting.median - a.figures.waiting.median);
  const of = ({ locking, figures }: Cell) => `${locking} ${formatValue('waiting', figures.waiting.median)}`;
  return `Of their time the vCPUs waited for locks, most first: ${sorted.map(of).join(', ')}.`;
}

function verdictOf({ locking, scenario, complete, findings }: CampaignResult): string {
  const [worst] = worstFirst(faults(findings));
  if (worst) {
    return `${locking} has a ${worst.kind}, however seldom it shows: it is there to study that, and not for use.`;
  }
  if (!complete) return `${locking}: nothing was found in ${scenario}, which was not explored to its end.`;
  return `${locking}: no interleaving of ${scenario} goes wrong, and all of them were run.`;
}

/** Without the marks of Markdown. */
function plain(sentence: string): string {
  return sentence.replaceAll('`', '');
}

/** Lines of at most WIDTH characters, indented; a command, which is indented already, stays in one. */
function wrapped(text: string): string[] {
  if (text.startsWith(' ')) return [`  ${text}`];
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) as string;
    if (line !== '' && line.length + 1 + word.length > WIDTH - 2) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.map((line) => `  ${line}`);
}
