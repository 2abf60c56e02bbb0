import type { DesignClass, PresetName } from '../../core/locking/presets.js';
import { type Cell, type Comparison, FIGURES, type Figure } from './figures.js';
import { formatLoad, formatValue } from './format.js';
import { claims } from './ranking.js';

/** The change that a design needs in a VMM like QEMU, relative to QEMU before 10.2. A judgement, not a measurement. */
const SIZE_OF_CHANGE: { readonly [preset in PresetName]: string } = {
  bql: 'none: the device is entered under the BQL, reads included',
  'legacy-race': 'a mutex on the MMIO path only; timer callback, reset and legacy inputs stay without it',
  'nested-mutex': 'a mutex on both paths, each in its natural order',
  'lockless-timer':
    'small: an attribute per timer that makes the main loop release the BQL around the callback; reset and legacy inputs must take the mutex first, too',
  'lockless-irq':
    'large: IOAPIC, 8259 pair and GSI routing get their own locks, and code behind them that relies on the BQL (the Xen event channel) must be changed; then every device that raises lines gains',
  'deferred-irq': 'small: a list of deferred calls per thread, run once the mutex is released',
  'drop-reacquire': 'small: inside the callback alone, hidden from its caller, which may hold references across it',
  'lockless-timer+irq': 'largest: the changes of lockless-timer and lockless-irq together',
  'deferred-revalidated':
    'medium: the list holds sources in place of levels, and the device can report the present level of each',
  'kick-and-drain': 'large: controllers with their own locks, and a mechanism that makes a vCPU run a callback',
  'try-queue': 'large: controllers with their own locks, and a queue beside them that the holder rechecks',
};

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
export function verdict({ cells, loads }: Comparison): Verdict {
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
    cost: loads.flatMap((load) => JUDGED.map((figure) => leaders(cells, named('safe'), figure, load))),
    change: designs.map((locking) => `\`${locking}\`: ${SIZE_OF_CHANGE[locking as PresetName] ?? 'not judged here'}.`),
    conclusion: conclusion(cells, named('safe'), heaviest),
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

/** The best safe designs: no other safe design is significantly better. */
function leaders(cells: readonly Cell[], safe: readonly string[], figure: Figure, load: number): string {
  const { title } = FIGURES[figure];
  const all = claims(cells, figure, load).filter(({ better, worse }) => safe.includes(better) && safe.includes(worse));
  const beaten = new Set(all.map(({ worse }) => worse));
  const first = safe.filter((locking) => !beaten.has(locking));
  const at = `${title} at a BQL load of ${formatLoad(load)}`;
  if (beaten.size === 0) return `${at}: no difference between the safe designs can be claimed.`;
  const median = (locking: string) =>
    formatValue(
      figure,
      cells.find((cell) => cell.locking === locking && cell.load === load)?.figures[figure].median ?? 0,
    );
  const behind = [...beaten].map((locking) => {
    const factor = Math.max(...all.filter(({ worse }) => worse === locking).map((claim) => claim.factor));
    return `\`${locking}\` (${median(locking)}, by ${factor < 10 ? factor.toFixed(1) : factor.toFixed(0)} ×)`;
  });
  return `${at}: ${first.map((locking) => `\`${locking}\` (${median(locking)})`).join(', ')} before ${behind.join(', ')}.`;
}

/** Safe designs that no other safe design beats in any judged figure without being beaten in another. */
function conclusion(cells: readonly Cell[], safe: readonly string[], load: number): string[] {
  const wins = new Map(safe.map((locking) => [locking, 0]));
  for (const figure of JUDGED) {
    for (const { better, worse } of claims(cells, figure, load)) {
      if (!safe.includes(better) || !safe.includes(worse)) continue;
      wins.set(better, (wins.get(better) ?? 0) + 1);
      wins.set(worse, (wins.get(worse) ?? 0) - 1);
    }
  }
  const most = Math.max(...wins.values());
  const best = safe.filter((locking) => wins.get(locking) === most);
  if (safe.length === 0) return ['None of the designs measured is safe: none can be recommended.'];
  if (most <= 0)
    return [
      `At a BQL load of ${formatLoad(load)} the figures put no safe design before the others: take the smallest change.`,
    ];
  return [
    `At a BQL load of ${formatLoad(load)}, of the safe designs ${best.map((name) => `\`${name}\``).join(' and ')} ${best.length > 1 ? 'lead' : 'leads'} by the figures above, more comparisons won than lost for sure.`,
    ...best.map((name) => `Its price is the size of the change. \`${name}\`: ${SIZE_OF_CHANGE[name as PresetName]}.`),
  ];
}

const CARRIES_OVER = [
  'Carries over to a VMM in C or Rust: which hazards a design has, the orders of its locks, what is held across what, who waits for whom, and ratios between designs on the same machine.',
  'Does not carry over: absolute times. The devices run in JavaScript, locks wake through Atomics, and the threads outnumber the cores.',
];
