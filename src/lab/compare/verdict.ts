import { type DesignClass, scopeText, storedVerdict } from '../../core/locking/verdicts.js';
import { carriesOver } from './carries-over.js';
import { changeOf } from './change.js';
import { conclusion } from './conclusion.js';
import { at, type Condition, holdLength, isJudged, runnableThreads } from './condition.js';
import { type Cell, type Comparison, FIGURES, type Figure } from './figures.js';
import { formatFactor, formatValue } from './format.js';
import { claimsAmong, JUDGED, judgedConditions, medianOf } from './ranking.js';

export interface Verdict {
  readonly correctness: readonly string[];
  readonly cost: readonly string[];
  readonly change: readonly string[];
  readonly conclusion: readonly string[];
  readonly carriesOver: readonly string[];
}

/** The figures as sentences. Correctness is the explored class of the design, not a measurement. */
export function verdict(comparison: Comparison): Verdict {
  const { cells } = comparison;
  const designs = [...new Set(cells.map(({ locking }) => locking))];
  const classOf = (locking: string) => cells.find((cell) => cell.locking === locking)?.class;
  const named = (wanted: string) => designs.filter((locking) => classOf(locking) === wanted);
  return {
    correctness: [
      ...(Object.keys(MEANING) as (keyof typeof MEANING)[])
        .filter((kind) => named(kind).length > 0)
        .map((kind) => sentence(kind, named(kind))),
      ...scopes(designs),
      ...hazards(comparison),
    ],
    cost: [
      ...judgedConditions(comparison).flatMap((condition) => costs(cells, named('safe'), condition)),
      ...notJudged(comparison),
    ],
    change: designs.map((locking) => `\`${locking}\`: ${changeOf(locking)}.`),
    conclusion: conclusion(comparison, named('safe')),
    carriesOver: carriesOver(comparison, named('safe')),
  };
}

const MEANING: { readonly [kind in DesignClass | 'unexplored']: string } = {
  safe: 'nothing was found by exploration',
  stale: 'neither a deadlock nor a race, but a line can be left at an old level',
  unsafe: 'a deadlock or a race was found by exploration: not to be used, whatever its figures',
  unexplored: 'its verdict is that of `npx southbridge explore --design`, and it is not judged here',
};

function sentence(kind: keyof typeof MEANING, designs: readonly string[]): string {
  return `${designs.map((name) => `\`${name}\``).join(', ')}: ${kind}; ${MEANING[kind]}.`;
}

/** What exploration says about each design, with the scope of that statement. */
function scopes(designs: readonly string[]): string[] {
  const texts = new Map<string, string[]>();
  for (const name of designs) {
    const stored = storedVerdict(name);
    const text = stored ? `explored in ${scopeText(stored)}` : 'not explored';
    texts.set(text, [...(texts.get(text) ?? []), `\`${name}\``]);
  }
  return [...texts].map(([text, names]) => `${names.join(', ')}: ${text}.`);
}

/** Hazards that occurred during the measurement. Their absence proves nothing. */
function hazards({ cells, conditions }: Comparison): string[] {
  return conditions.flatMap((condition) =>
    cells
      .filter((cell) => cell.condition === condition.name && Object.values(cell.hazards).some((count) => count > 0))
      .map(({ locking, hazards: { late, inverted, deadlocks, inversions } }) => {
        const seen = [
          deadlocks && `${deadlocks} deadlocks (broken)`,
          inversions && `${inversions} inverted lock orders`,
          inverted && `${inverted} inverted line updates`,
          late && `${late} late ones`,
        ].filter(Boolean);
        return `Seen under \`${locking}\` ${at(condition)}: ${seen.join(', ')}.`;
      }),
  );
}

function notJudged({ conditions, machine: { cores } }: Comparison): string[] {
  const crowded = conditions.filter((condition) => !isJudged(condition, cores));
  if (crowded.length === 0) return [];
  const names = crowded.map((condition) => `${condition.name} (${runnableThreads(condition)} threads)`);
  const which = crowded.length === conditions.length ? 'No row is judged' : 'Not judged, and marked *';
  const limit = `${cores} core${cores === 1 ? '' : 's'}`;
  return [
    `${which}: ${names.join(', ')}. Threads that never pause share ${limit} there, so the figures show the host's scheduler.`,
  ];
}

/** A sentence per figure in which designs differ, and one for the rest. */
function costs(cells: readonly Cell[], safe: readonly string[], condition: Condition): string[] {
  const all = JUDGED.map((figure) => ({ figure, text: leaders(cells, safe, figure, condition) }));
  const equal = all.filter(({ text }) => text === undefined).map(({ figure }) => FIGURES[figure].title);
  const sentences = all.flatMap(({ text }) => (text === undefined ? [] : [text]));
  if (equal.length === 0) return sentences;
  return [...sentences, `${equal.join(', ')} ${at(condition)}: no difference between the safe designs can be claimed.`];
}

/** The best safe designs: no other safe design is significantly better. Undefined if that holds for all of them. */
function leaders(
  cells: readonly Cell[],
  safe: readonly string[],
  figure: Figure,
  condition: Condition,
): string | undefined {
  const all = claimsAmong(cells, safe, figure, condition);
  const beaten = new Set(all.map(({ worse }) => worse));
  if (beaten.size === 0) return undefined;
  const first = safe.filter((locking) => !beaten.has(locking));
  const median = (locking: string) => medianOf(cells, locking, figure, condition);
  const behind = [...beaten].map((locking) => {
    const factor = Math.max(...all.filter(({ worse }) => worse === locking).map((claim) => claim.factor));
    return `\`${locking}\` (${formatValue(figure, median(locking))}, by ${formatFactor(factor)})`;
  });
  const ahead = first.map((locking) => `\`${locking}\` (${formatValue(figure, median(locking))})`);
  const isHold = [...beaten].some((locking) => waitsForHold(figure, condition, median(locking)));
  const note = isHold
    ? ` These ratios depend on the length of a hold (${holdLength(condition.holds.ns)}): a longer hold makes them larger.`
    : '';
  return `${FIGURES[figure].title} ${at(condition)}: ${ahead.join(', ')} before ${behind.join(', ')}.${note}`;
}

/** Whether a latency is about as long as a hold of the BQL for other work: its ratio to others then follows the hold. */
function waitsForHold(figure: Figure, { load, holds }: Condition, median: number): boolean {
  return load > 0 && FIGURES[figure].unit === 'ns' && median > holds.ns / 2;
}
