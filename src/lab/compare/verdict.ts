import type { DesignClass } from '../../core/locking/presets.js';
import { changeOf, compareChange } from './change.js';
import { type Cell, type Comparison, FIGURES, type Figure, HOLD_NS } from './figures.js';
import { formatLoad, formatValue } from './format.js';
import { type Claim, claims, isJudged, undominated } from './ranking.js';

/** The figures that decide the verdict. */
export const JUDGED: readonly Figure[] = ['accesses', 'readP99', 'mmioP99', 'latenessP99'];

export interface Verdict {
  readonly correctness: readonly string[];
  readonly cost: readonly string[];
  readonly change: readonly string[];
  readonly conclusion: readonly string[];
  readonly carriesOver: readonly string[];
}

/** The figures as sentences. Correctness is the explored class of the design, not a measurement. */
export function verdict(comparison: Comparison): Verdict {
  const { cells, loads, vcpus, machine } = comparison;
  const designs = [...new Set(cells.map(({ locking }) => locking))];
  const classOf = (locking: string) => cells.find((cell) => cell.locking === locking)?.class;
  const named = (wanted: string) => designs.filter((locking) => classOf(locking) === wanted);
  const heaviest = Math.max(...loads);
  return {
    correctness: [
      ...(Object.keys(MEANING) as (keyof typeof MEANING)[])
        .filter((kind) => named(kind).length > 0)
        .map((kind) => sentence(kind, named(kind))),
      ...hazards(cells),
    ],
    cost: isJudged(comparison)
      ? loads.flatMap((load) => JUDGED.map((figure) => leaders(cells, named('safe'), figure, load)))
      : [
          `No row is judged: ${vcpus} vCPU threads that never pause share ${machine.cores} core${machine.cores === 1 ? '' : 's'}, so the figures show the scheduler of the host. Rows marked * have more runnable threads than cores.`,
        ],
    change: designs.map((locking) => `\`${locking}\`: ${changeOf(locking)}.`),
    conclusion: conclusion(comparison, named('safe'), heaviest),
    carriesOver: CARRIES_OVER,
  };
}

const MEANING: { readonly [kind in DesignClass | 'unexplored']: string } = {
  safe: 'explored completely, and nothing was found',
  stale: 'neither a deadlock nor a race, but a line can be left at an old level',
  unsafe: 'a deadlock or a race was found by exploration: not to be used, whatever its figures',
  unexplored: 'its verdict is that of `npx southbridge explore --design`, and it is not judged here',
};

function sentence(kind: keyof typeof MEANING, designs: readonly string[]): string {
  return `${designs.map((name) => `\`${name}\``).join(', ')}: ${kind}; ${MEANING[kind]}.`;
}

/** Hazards that occurred during the measurement. Their absence proves nothing. */
function hazards(cells: readonly Cell[]): string[] {
  return cells
    .filter(({ hazards }) => Object.values(hazards).some((count) => count > 0))
    .map(({ locking, load, hazards: { late, inverted, deadlocks, inversions } }) => {
      const seen = [
        deadlocks && `${deadlocks} deadlocks (broken)`,
        inversions && `${inversions} inverted lock orders`,
        inverted && `${inverted} inverted line updates`,
        late && `${late} late ones`,
      ].filter(Boolean);
      return `Seen under \`${locking}\` at a BQL load of ${formatLoad(load)}: ${seen.join(', ')}.`;
    });
}

/** Claims about safe designs only. */
function claimsAmong(cells: readonly Cell[], safe: readonly string[], figure: Figure, load: number): Claim[] {
  return claims(cells, figure, load).filter(({ better, worse }) => safe.includes(better) && safe.includes(worse));
}

/** The best safe designs: no other safe design is significantly better. */
function leaders(cells: readonly Cell[], safe: readonly string[], figure: Figure, load: number): string {
  const { title } = FIGURES[figure];
  const all = claimsAmong(cells, safe, figure, load);
  const beaten = new Set(all.map(({ worse }) => worse));
  const first = safe.filter((locking) => !beaten.has(locking));
  const at = `${title} at a BQL load of ${formatLoad(load)}`;
  if (beaten.size === 0) return `${at}: no difference between the safe designs can be claimed.`;
  const median = (locking: string) => medianOf(cells, locking, figure, load);
  const behind = [...beaten].map((locking) => {
    const factor = Math.max(...all.filter(({ worse }) => worse === locking).map((claim) => claim.factor));
    return `\`${locking}\` (${formatValue(figure, median(locking))}, by ${factor < 10 ? factor.toFixed(1) : factor.toFixed(0)} ×)`;
  });
  const ahead = first.map((locking) => `\`${locking}\` (${formatValue(figure, median(locking))})`);
  const isHold = [...beaten].some((locking) => waitsForHold(figure, load, median(locking)));
  return `${at}: ${ahead.join(', ')} before ${behind.join(', ')}.${isHold ? HOLD_NOTE : ''}`;
}

function medianOf(cells: readonly Cell[], locking: string, figure: Figure, load: number): number {
  return cells.find((cell) => cell.locking === locking && cell.load === load)?.figures[figure].median ?? 0;
}

/** Whether a latency is about as long as the background load holds the BQL: its ratio to others then follows the hold. */
function waitsForHold(figure: Figure, load: number, median: number): boolean {
  return load > 0 && FIGURES[figure].unit === 'ns' && median > HOLD_NS / 2;
}

const HOLD_NOTE = ` These ratios depend on the length of a hold (${HOLD_NS / 1000} µs): a longer hold makes them larger.`;

/** The safe designs that no other dominates, the smallest change among them, and what each smaller change gives up. */
function conclusion(comparison: Comparison, safe: readonly string[], load: number): string[] {
  if (safe.length === 0) return ['None of the designs measured is safe: none can be recommended.'];
  const { cells } = comparison;
  const all = isJudged(comparison) ? JUDGED.flatMap((figure) => claimsAmong(cells, safe, figure, load)) : [];
  const at = `At a BQL load of ${formatLoad(load)}`;
  if (all.length === 0) {
    return [`${at} the figures put no safe design before the others: take the smallest change.`];
  }
  const names = (designs: readonly string[]) => designs.map((name) => `\`${name}\``).join(', ');
  const best = undominated(safe, all);
  const price = (name: string) => `\`${name}\`: ${changeOf(name)}.`;
  const smallest = best.filter((name) => best.every((other) => compareChange(name, other) <= 0));
  return [
    `${at}, no other safe design is better in one judged figure and worse in none than ${names(best)}.`,
    `The smallest change among these: ${smallest.map(price).join(' ')}`,
    ...smaller(safe, best, all).map(
      (name) => `A smaller change: ${price(name)} It gives up ${losses(name, best, all)}.`,
    ),
  ];
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
      return `${FIGURES[figure].title} (${factor < 10 ? factor.toFixed(1) : factor.toFixed(0)} ×)`;
    })
    .join(', ');
}

const CARRIES_OVER = [
  'Carries over to a VMM in C or Rust: which hazards a design has, the orders of its locks, what is held across what, who waits for whom, and ratios of accesses/s between designs on the same machine.',
  `Does not carry over: ratios of latencies to a hold of the BQL (${HOLD_NS / 1000} µs here), which follow the length of the hold.`,
  'Does not carry over: absolute times. The devices run in JavaScript, and locks wake through Atomics.',
];
