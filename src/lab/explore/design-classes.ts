import type { Design } from '../../core/locking/axes.js';
import { takesBqlUnderMutex } from '../../core/locking/control/ordered.js';
import type { FindingKind } from './finding.js';

/** What is wrong with a design, in one word. */
export type Verdict = 'safe' | 'stale' | 'race' | 'deadlock';

/** Of what exploration found: the worst that applies. */
export function verdictOf(kinds: Iterable<FindingKind>): Verdict {
  const found = new Set(kinds);
  if (found.has('race')) return 'race';
  if (found.has('deadlock') || found.has('livelock') || found.has('assertion')) return 'deadlock';
  return found.has('linearizability') || found.has('stale') ? 'stale' : 'safe';
}

type Row = { readonly [irq: string]: Verdict };

const SAFE: Row = { inline: 'safe', deferred: 'safe', revalidated: 'safe', lockless: 'safe' };
const RACE: Row = { inline: 'race', deferred: 'race', revalidated: 'race', lockless: 'race' };

/** What was expected of paths A and B before any exploration, with control `ordered`: mmio/timer × irq. */
const EXPECTED: { readonly [entry: string]: Row } = {
  'bql/bql': SAFE,
  'bql/bql+device': SAFE,
  'bql/device': RACE,
  'bql/reacquire': { ...SAFE, revalidated: 'deadlock' },
  'device/bql': RACE,
  'device/bql+device': { ...SAFE, inline: 'deadlock', deferred: 'stale' },
  'device/device': { ...SAFE, deferred: 'stale' },
  'device/reacquire': { ...SAFE, deferred: 'stale', revalidated: 'deadlock' },
};

/**
 * Of a design; undefined where nobody knew: Xen's and crosvm's ways. The table is of control `ordered`. Of `none` it was
 * said that it is a race wherever vCPUs enter with the mutex alone; of `naive`, that it is the BQL and then the mutex, so a
 * deadlock wherever the rest of the design takes them the other way round.
 */
export function expectedVerdict(design: Design): Verdict | undefined {
  const { mmio, timer, irq, control } = design;
  const ordered = EXPECTED[`${mmio.name}/${timer.name}`]?.[irq.name];
  if (control.name === 'none' && !mmio.underBql) return 'race';
  if (control.name === 'naive' && ordered && ordered !== 'race' && takesBqlUnderMutex(design)) return 'deadlock';
  return ordered;
}

/**
 * Why a design that was expected to deadlock does not. Who takes the BQL under the mutex is the callback, and who takes them
 * the other way round is control work: both run on the main loop, which does not wait for itself. It takes a vCPU that
 * holds one of the two and wants the other.
 */
export function explanation({ mmio, timer, irq, control }: Design): string | undefined {
  const vcpuTakesBoth = irq.name === 'revalidated' || (!mmio.underBql && irq.name === 'inline');
  if (control.name !== 'naive' || timer.name !== 'reacquire' || vcpuTakesBoth) return undefined;
  return 'both orders are there, and both on the main loop, which does not wait for itself: no vCPU takes both locks';
}
