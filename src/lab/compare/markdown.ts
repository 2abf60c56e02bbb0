import { type Cell, type Comparison, FIGURE_NAMES, FIGURES, HAZARDS } from './figures.js';
import { formatLoad, formatSummary } from './format.js';
import { verdict } from './verdict.js';

/** A picture beside the page. */
export interface Picture {
  readonly title: string;
  readonly file: string;
}

/** A comparison as a page of Markdown. */
export function toMarkdown(comparison: Comparison, pictures: readonly Picture[] = []): string {
  const { machine, date, seed, vcpus, rounds, partMs, loads, cells } = comparison;
  const { correctness, cost, change, conclusion, carriesOver } = verdict(comparison);
  return `${[
    '# The locking designs compared',
    `Made by \`southbridge compare\` on ${date.slice(0, 10)}: ${machine.cores} cores of ${machine.cpu}, Node ${machine.node}, ${machine.platform}. ${vcpus} vCPU threads and the main loop, seed ${seed}; ${rounds} rounds, in each of which every design ran under every BQL load for ${2 * partMs} ms: half of it as fast as it goes, for accesses/s and contention, half paced, for latencies. The BQL load holds the BQL in pieces of 500 µs, sleeping. Each figure is the median over the rounds, with an interval that holds the true median with 95 % confidence.`,
    '## Verdict',
    '### Correctness (explored, not measured)',
    list(correctness),
    '### Cost (measured)',
    list(cost),
    '### Size of the change (judged)',
    list(change),
    '### In short',
    list(conclusion),
    '### What carries over',
    list(carriesOver),
    ...(pictures.length > 0 ? ['## Charts'] : []),
    ...pictures.map(({ title, file }) => `![${title}](${file})`),
    '## Figures',
    ...loads.flatMap((load) => [`### BQL load ${formatLoad(load)}`, table(cells.filter((cell) => cell.load === load))]),
  ].join('\n\n')}\n`;
}

function list(lines: readonly string[]): string {
  return lines.map((line) => `- ${line}`).join('\n');
}

/** Designs as rows. */
function table(cells: readonly Cell[]): string {
  const head = ['design', 'class', ...FIGURE_NAMES.map((name) => FIGURES[name].title), ...HAZARDS];
  const rows = cells.map(({ locking, class: kind, figures, hazards }) => [
    `\`${locking}\``,
    kind,
    ...FIGURE_NAMES.map((name) => formatSummary(name, figures[name])),
    ...HAZARDS.map((name) => String(hazards[name])),
  ]);
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}
