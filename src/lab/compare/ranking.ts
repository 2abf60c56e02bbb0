import { type Condition, isJudged } from './condition.js';
import { type Cell, type Comparison, FIGURES, type Figure } from './figures.js';
import { differ } from './summary.js';

/** One design is better than another for sure: the confidence intervals of their medians have nothing in common. */
export interface Claim {
  readonly condition: string;
  readonly figure: Figure;
  readonly better: string;
  readonly worse: string;
  /** The worse median over the better, or the inverse where more is better: at least 1. */
  readonly factor: number;
}

/** The figures that decide the verdict. Each latency runs from the intended start, or from the deadline. */
export const JUDGED: readonly Figure[] = ['accesses', 'readResponseP99', 'mmioP99', 'latenessP99'];

/** Fewer rounds claim nothing: their intervals hold the true median with less than 95 %. */
const LEAST_ROUNDS = 6;

/** All that is claimed of a figure under a condition. */
export function claims(cells: readonly Cell[], figure: Figure, condition: string): Claim[] {
  const { better } = FIGURES[figure];
  const there = cells.filter((cell) => cell.condition === condition && cell.rounds >= LEAST_ROUNDS);
  const found: Claim[] = [];
  for (const one of there) {
    for (const other of there) {
      const [a, b] = [one.figures[figure], other.figures[figure]];
      const isBetter = better === 'lower' ? a.median < b.median : a.median > b.median;
      if (!isBetter || !differ(a, b)) continue;
      const factor = better === 'lower' ? b.median / a.median : a.median / b.median;
      found.push({ condition, figure, better: one.locking, worse: other.locking, factor });
    }
  }
  return found;
}

/** Claims about these designs only. */
export function claimsAmong(cells: readonly Cell[], designs: readonly string[], figure: Figure, { name }: Condition) {
  return claims(cells, figure, name).filter(({ better, worse }) => designs.includes(better) && designs.includes(worse));
}

export function medianOf(cells: readonly Cell[], locking: string, figure: Figure, { name }: Condition): number {
  return cells.find((cell) => cell.locking === locking && cell.condition === name)?.figures[figure].median ?? 0;
}

/** The conditions whose rows may be judged. */
export function judgedConditions({ conditions, machine }: Comparison): Condition[] {
  return conditions.filter((condition) => isJudged(condition, machine.cores));
}

/** The designs that no other one dominates: is better in one figure and worse in none. */
export function undominated(designs: readonly string[], all: readonly Claim[]): string[] {
  const beats = (one: string, other: string) => all.some(({ better, worse }) => better === one && worse === other);
  return designs.filter((name) => !designs.some((other) => beats(other, name) && !beats(name, other)));
}

/** What one run claims and another claims the other way round: none, where the figures can be relied on. */
export function contradictions(one: Comparison, other: Comparison, figures: readonly Figure[]): Claim[] {
  const others = judgedConditions(other).map(({ name }) => name);
  const both = judgedConditions(one).filter(({ name }) => others.includes(name));
  return figures.flatMap((figure) =>
    both.flatMap(({ name }) => {
      const opposite = new Set(claims(other.cells, figure, name).map(({ better, worse }) => `${worse} ${better}`));
      return claims(one.cells, figure, name).filter(({ better, worse }) => opposite.has(`${better} ${worse}`));
    }),
  );
}
