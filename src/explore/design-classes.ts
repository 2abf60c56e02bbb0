import type { FindingKind } from './finding.js';

/** What is wrong with a design, in one word. */
export type Verdict = 'safe' | 'stale' | 'race' | 'deadlock';

/** Of what exploration found: the worst that applies. */
export function verdictOf(kinds: Iterable<FindingKind>): Verdict {
  const found = new Set(kinds);
  if (found.has('race')) return 'race';
  if (found.has('deadlock') || found.has('livelock') || found.has('assertion')) return 'deadlock';
  return found.has('meaning') || found.has('stale') ? 'stale' : 'safe';
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

/** Of a design `mmio/timer/irq/control`; undefined where nobody knew: Xen's and crosvm's ways. */
export function expectedVerdict(design: string): Verdict | undefined {
  const [mmio, timer, irq] = design.split('/');
  return EXPECTED[`${mmio}/${timer}`]?.[irq];
}
