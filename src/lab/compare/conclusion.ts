import { changeOf, compareChange } from './change.js';
import { at, type Condition } from './condition.js';
import { type Comparison, FIGURES } from './figures.js';
import { formatFactor } from './format.js';
import { type Claim, claimsAmong, JUDGED, judgedConditions, undominated } from './ranking.js';

/**
 * The safe designs that no other dominates at the base point, the smallest change among them, what each smaller change
 * gives up, and where another condition gives another set.
 */
export function conclusion(comparison: Comparison, safe: readonly string[]): string[] {
  if (safe.length === 0) return ['None of the designs measured is safe: none can be recommended.'];
  const [first, ...others] = judgedConditions(comparison);
  const all = first ? allClaims(comparison, safe, first) : [];
  if (!first || all.length === 0) {
    return [
      `${stated(first ?? comparison.conditions[0])} the figures put no safe design before the others: take the smallest change.`,
      ...elsewhere(comparison, safe, others, safe),
    ];
  }
  const best = undominated(safe, all);
  const price = (name: string) => `\`${name}\`: ${changeOf(name)}.`;
  const smallest = best.filter((name) => best.every((other) => compareChange(name, other) <= 0));
  return [
    `${stated(first)}, no other safe design is better in one judged figure and worse in none than ${names(best)}.`,
    `The smallest change among these: ${smallest.map(price).join(' ')}`,
    ...smaller(safe, best, all).map(
      (name) => `A smaller change: ${price(name)} It gives up ${losses(name, best, all)}.`,
    ),
    ...elsewhere(comparison, safe, others, best),
  ];
}

function stated(condition: Condition): string {
  const text = at(condition);
  return `${text[0].toUpperCase()}${text.slice(1)}`;
}

function names(designs: readonly string[]): string {
  return designs.map((name) => `\`${name}\``).join(', ');
}

function allClaims({ cells }: Comparison, safe: readonly string[], condition: Condition): Claim[] {
  return JUDGED.flatMap((figure) => claimsAmong(cells, safe, figure, condition));
}

/** The undominated sets under the other judged conditions, and those under which it is the same. */
function elsewhere(
  comparison: Comparison,
  safe: readonly string[],
  conditions: readonly Condition[],
  best: readonly string[],
): string[] {
  const sets = new Map<string, Condition[]>();
  for (const condition of conditions) {
    const set = names(undominated(safe, allClaims(comparison, safe, condition)));
    sets.set(set, [...(sets.get(set) ?? []), condition]);
  }
  return [...sets].map(([set, where]) => {
    const list = where.map(at).join('; ');
    return set === names(best) ? `The same holds ${list}.` : `Undominated ${list}: ${set}.`;
  });
}

/** Safe designs that need a smaller change than the undominated ones, unless another one of that size dominates them. */
function smaller(safe: readonly string[], best: readonly string[], all: readonly Claim[]): string[] {
  const less = safe.filter((name) => best.every((other) => compareChange(name, other) < 0));
  return less.filter((name) => {
    const rivals = less.filter((other) => compareChange(other, name) <= 0);
    return undominated(rivals, all).includes(name);
  });
}

/** The figures in which an undominated design is better. */
function losses(name: string, best: readonly string[], all: readonly Claim[]): string {
  const against = all.filter(({ better, worse }) => worse === name && best.includes(better));
  const figures = JUDGED.filter((figure) => against.some((claim) => claim.figure === figure));
  return figures
    .map((figure) => {
      const factor = Math.max(...against.filter((claim) => claim.figure === figure).map((claim) => claim.factor));
      return `${FIGURES[figure].title} (${formatFactor(factor)})`;
    })
    .join(', ');
}
