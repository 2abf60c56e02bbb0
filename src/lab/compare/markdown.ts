import { basePoint, type Condition, isJudged } from './condition.js';
import { type Comparison, FIGURE_NAMES, FIGURES, HAZARD_MEANINGS, HAZARDS } from './figures.js';
import { formatSummary } from './format.js';
import { measuredBy, overview } from './overview.js';
import { verdict } from './verdict.js';

/** A picture beside the page. */
export interface Picture {
  readonly title: string;
  readonly file: string;
}

/** A comparison as a page of Markdown. */
export function toMarkdown(comparison: Comparison, pictures: readonly Picture[] = []): string {
  const { seed, rounds, partMs, conditions } = comparison;
  const { correctness, cost, change, conclusion, carriesOver } = verdict(comparison);
  const { head, rows, columns } = overview(comparison);
  return `${[
    '# The locking designs compared',
    measuredBy(comparison),
    markdownTable([head, ...rows.map(([design, ...cells]) => [code(design), ...cells])]),
    list(columns.map(([title, meaning]) => `**${title}**: ${meaning}.`)),
    ...(pictures.length > 0 ? ['## Charts'] : []),
    ...pictures.map(({ title, file }) => `![${title}](${file})`),
    '## Verdict',
    list(conclusion),
    '### Correctness (explored, not measured)',
    list(correctness),
    '### Cost (measured)',
    list(cost),
    '### Size of the change (judged)',
    list(change),
    '### What carries over',
    list(carriesOver),
    '## All figures',
    `Made by \`southbridge compare\`, seed ${seed}: vCPU threads, the main loop, and a background thread; ${rounds} rounds, in each of which every design ran under every condition for ${2 * partMs} ms: half of it as fast as it goes, for accesses/s and contention, half paced, for latencies. Before that, one vCPU ran alone for the uncontended access. The base point is ${basePoint(conditions[0])}; each other condition differs from it in one factor. A background thread sleeps while it holds the BQL for 500 µs, and burns a core for shorter holds; vCPUs burn theirs. Rows marked * have more runnable threads than cores, and are not judged. Each figure is the median over the rounds, with an interval that holds the true median with 95 % confidence.`,
    list([
      ...FIGURE_NAMES.map((name) => `**${FIGURES[name].title}**: ${FIGURES[name].meaning}.`),
      ...HAZARDS.map((name) => `**${name}**: ${HAZARD_MEANINGS[name]}; a sum over the rounds.`),
    ]),
    ...conditions.flatMap((each) => [`### ${each.name}`, table(comparison, each)]),
  ].join('\n\n')}\n`;
}

function code(design: string): string {
  return design.replace(/^([^*]+)/, '`$1`');
}

function list(lines: readonly string[]): string {
  return lines.map((line) => `- ${line}`).join('\n');
}

/** Designs as rows. */
function table(comparison: Comparison, condition: Condition): string {
  const mark = isJudged(condition, comparison.machine.cores) ? '' : '*';
  const rows = comparison.cells
    .filter((cell) => cell.condition === condition.name)
    .map(({ locking, class: kind, figures, hazards }) => [
      `\`${locking}\`${mark}`,
      kind,
      ...FIGURE_NAMES.map((name) => formatSummary(name, figures[name])),
      ...HAZARDS.map((name) => String(hazards[name])),
    ]);
  return markdownTable([['design', 'class', ...FIGURE_NAMES.map((name) => FIGURES[name].title), ...HAZARDS], ...rows]);
}

function markdownTable([head, ...rows]: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}
