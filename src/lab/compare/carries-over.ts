import { type Condition, holdLength } from './condition.js';
import { type Comparison, FIGURES } from './figures.js';
import { formatFactor } from './format.js';
import { JUDGED, judgedConditions, medianOf } from './ranking.js';

/** What of a comparison holds for a VMM in another language, and how its ratios follow the length of a hold. */
export function carriesOver(comparison: Comparison, safe: readonly string[]): string[] {
  const [{ holds }] = comparison.conditions;
  return [
    'Carries over to a VMM in C or Rust: which hazards a design has, the orders of its locks, what is held across what, who waits for whom, and ratios of accesses/s between designs on the same machine.',
    `Does not carry over: ratios of latencies to a hold of the BQL (${holdLength(holds.ns)} at the base point), which follow the length of the hold.`,
    ...byHold(comparison, safe),
    'Does not carry over: absolute times. The devices run in JavaScript, and locks wake through Atomics.',
  ];
}

/** Where the holds of one holder have several lengths: how far apart the safe designs are with each. */
function byHold(comparison: Comparison, safe: readonly string[]): string[] {
  const judged = judgedConditions(comparison);
  const [base] = comparison.conditions;
  if (safe.length < 2) return [];
  return (['background', 'vcpus'] as const).flatMap((holder) => {
    const series = judged
      .filter(({ factor, holds }) => (factor === 'holds' || factor === undefined) && holds.holder === holder)
      .sort((one, other) => one.holds.ns - other.holds.ns);
    if (series.length < 2 || base.load === 0) return [];
    const by = holder === 'vcpus' ? 'vCPUs' : 'a background thread';
    return JUDGED.map((figure) => {
      const ratios = series.map((condition) => ratioText(comparison, safe, figure, condition));
      return `${FIGURES[figure].title}, the worst safe design over the best, with holds by ${by}: ${ratios.join(', ')}.`;
    });
  });
}

function ratioText(
  { cells }: Comparison,
  safe: readonly string[],
  figure: (typeof JUDGED)[number],
  condition: Condition,
): string {
  const medians = safe.map((locking) => medianOf(cells, locking, figure, condition)).filter((median) => median > 0);
  const ratio = medians.length > 0 ? Math.max(...medians) / Math.min(...medians) : 1;
  return `${formatFactor(ratio)} at ${holdLength(condition.holds.ns)}`;
}
