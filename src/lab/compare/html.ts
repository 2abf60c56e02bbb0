import { chart, chartsOf } from './chart.js';
import { type Condition, isJudged } from './condition.js';
import { type Comparison, FIGURE_NAMES, FIGURES, HAZARD_MEANINGS, HAZARDS } from './figures.js';
import { formatSummary } from './format.js';
import { measuredBy, overview } from './overview.js';
import { verdict } from './verdict.js';

/** A comparison as one page that needs nothing else: no script, no other file. */
export function toHtml(comparison: Comparison): string {
  const { conditions } = comparison;
  const words = verdict(comparison);
  const first = overview(comparison);
  const sections = [
    ['In short', words.conclusion],
    ['Correctness (explored, not measured)', words.correctness],
    ['Cost (measured)', words.cost],
    ['Size of the change (judged)', words.change],
    ['What carries over', words.carriesOver],
  ] as const;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Locking designs compared</title>
<style>${STYLE}</style>
<main>
<h1>The locking designs compared</h1>
<p>${escapeHtml(measuredBy(comparison))} Bars are medians; whiskers hold the true median with 95 % confidence.</p>
${tableOf(first.head, first.rows)}
${meanings(first.columns)}
<h2>Charts</h2>
<div class="charts">
${chartsOf(comparison)
  .map((drawn) => chart(comparison, drawn))
  .join('\n')}
</div>
<h2>Verdict</h2>
${sections.map(([title, lines]) => `<h3>${title}</h3>\n<ul>${lines.map((line) => `<li>${code(escapeHtml(line))}</li>`).join('\n')}</ul>`).join('\n')}
<h2>All figures</h2>
${meanings([
  ...FIGURE_NAMES.map((name) => [FIGURES[name].title, FIGURES[name].meaning] as const),
  ...HAZARDS.map((name) => [name, HAZARD_MEANINGS[name]] as const),
])}
${conditions.map((each) => `<h3>${escapeHtml(each.name)}</h3>\n${figuresAt(comparison, each)}`).join('\n')}
</main>
</html>
`;
}

function figuresAt(comparison: Comparison, condition: Condition): string {
  const mark = isJudged(condition, comparison.machine.cores) ? '' : '*';
  const rows = comparison.cells
    .filter((cell) => cell.condition === condition.name)
    .map(({ locking, class: kind, figures, hazards }) => [
      `${locking}${mark}`,
      kind,
      ...FIGURE_NAMES.map((name) => formatSummary(name, figures[name])),
      ...HAZARDS.map((name) => String(hazards[name])),
    ]);
  return tableOf(['design', 'class', ...FIGURE_NAMES.map((name) => FIGURES[name].title), ...HAZARDS], rows);
}

/** A table of designs; the second cell of a row is the design's class. */
function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = ([design, kind, ...figures]: readonly string[]) => [
    `<th scope="row">${escapeHtml(design)}</th>`,
    `<td class="${kind}">${kind}</td>`,
    ...figures.map((text) => `<td>${text}</td>`),
  ];
  return `<div class="scroll"><table><thead><tr>${head.map((title) => `<th scope="col">${title}</th>`).join('')}</tr></thead>
<tbody>${rows.map((row) => `<tr>${cells(row).join('')}</tr>`).join('\n')}</tbody></table></div>`;
}

function meanings(columns: readonly (readonly [string, string])[]): string {
  return `<dl>${columns.map(([title, meaning]) => `<dt>${escapeHtml(title)}</dt><dd>${escapeHtml(meaning)}</dd>`).join('\n')}</dl>`;
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (found) => `&#${found.charCodeAt(0)};`);
}

function code(text: string): string {
  return text.replace(/`([^`]+)`/g, '<code>$1</code>');
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2024; --soft: #60646c; --line: #d9d9e0; --paper: #fcfcfd; --bad: #c62a2f; --odd: #946800; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #edeef0; --soft: #b0b4ba; --line: #363a3f; --paper: #111113; --bad: #ff9592; --odd: #f5d90a; }
}
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 76rem; margin: auto; padding: 1.5rem; }
h1, h2, h3 { line-height: 1.2; }
li, p, dd { max-width: 52rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; font-size: 13px; }
dt { font-weight: 600; }
dd { margin: 0; color: var(--soft); }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr; } }
code, table, text { font-family: ui-monospace, monospace; font-variant-numeric: tabular-nums; }
code { font-size: 0.9em; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(26rem, 1fr)); gap: 1rem; }
figure { margin: 0; border: 1px solid var(--line); border-radius: 6px; padding: 0.75rem; }
figcaption { font-weight: 600; }
svg { width: 100%; height: auto; }
svg text { fill: var(--ink); font-size: 11px; }
svg .soft { fill: var(--soft); }
svg .whisker { stroke: var(--ink); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 12px; white-space: nowrap; }
th, td { padding: 0.2rem 0.6rem; border-bottom: 1px solid var(--line); text-align: right; }
th:first-child { text-align: left; position: sticky; left: 0; background: var(--paper); }
.unsafe { color: var(--bad); }
.stale { color: var(--odd); }
`;
