import { type Cell, type Comparison, FIGURES, type Figure } from './figures.js';
import { differ } from './summary.js';

/** One design is better than another for sure: the confidence intervals of their medians have nothing in common. */
export interface Claim {
  readonly load: number;
  readonly figure: Figure;
  readonly better: string;
  readonly worse: string;
  /** The worse median over the better, or the inverse where more is better: at least 1. */
  readonly factor: number;
}

/** Fewer rounds claim nothing: their intervals hold the true median with less than 95 %. */
const LEAST_ROUNDS = 6;

/** All that is claimed of a figure under a load. */
export function claims(cells: readonly Cell[], figure: Figure, load: number): Claim[] {
  const { better } = FIGURES[figure];
  const there = cells.filter((cell) => cell.load === load && cell.rounds >= LEAST_ROUNDS);
  const found: Claim[] = [];
  for (const one of there) {
    for (const other of there) {
      const [a, b] = [one.figures[figure], other.figures[figure]];
      const isBetter = better === 'lower' ? a.median < b.median : a.median > b.median;
      if (!isBetter || !differ(a, b)) continue;
      const factor = better === 'lower' ? b.median / a.median : a.median / b.median;
      found.push({ load, figure, better: one.locking, worse: other.locking, factor });
    }
  }
  return found;
}

/**
 * Whether rows may be judged. The vCPU threads of a measurement never pause; the main loop and the background load sleep
 * most of the time. With more vCPU threads than cores, the figures show the host's scheduler.
 */
export function isJudged({ vcpus, machine }: Pick<Comparison, 'vcpus' | 'machine'>): boolean {
  return vcpus <= machine.cores;
}

/** The designs that no other one dominates: is better in one figure and worse in none. */
export function undominated(designs: readonly string[], all: readonly Claim[]): string[] {
  const beats = (one: string, other: string) => all.some(({ better, worse }) => better === one && worse === other);
  return designs.filter((name) => !designs.some((other) => beats(other, name) && !beats(name, other)));
}

/** What one run claims and another claims the other way round: none, where the figures can be relied on. */
export function contradictions(one: readonly Cell[], other: readonly Cell[], figures: readonly Figure[]): Claim[] {
  const loads = [...new Set(one.map(({ load }) => load))];
  return figures.flatMap((figure) =>
    loads.flatMap((load) => {
      const opposite = new Set(claims(other, figure, load).map(({ better, worse }) => `${worse} ${better}`));
      return claims(one, figure, load).filter(({ better, worse }) => opposite.has(`${better} ${worse}`));
    }),
  );
}
