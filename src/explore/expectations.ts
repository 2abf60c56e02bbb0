import type { PresetName } from '../locking/presets.js';
import type { FindingKind } from './finding.js';

/** What exploring a design must find, over all scenarios, and what it may find; anything else fails. */
export interface Expectation {
  /** Per scenario, the kinds of findings that must be there. */
  readonly required: { readonly [scenario: string]: readonly FindingKind[] };
  readonly allowed: readonly FindingKind[];
}

/** The designs in which no vCPU holds the BQL where the Xen filter is entered. */
const WITHOUT_BQL: readonly PresetName[] = ['lockless-irq', 'lockless-timer+irq', 'kick-and-drain', 'try-queue'];

/** What a form of the Xen filter comes to in those designs: the form's doing, not the design's. */
const XEN_FORMS: { readonly [scenario: string]: { readonly required: FindingKind; readonly allowed: FindingKind[] } } =
  {
    'xen-flag-assert': { required: 'assertion', allowed: ['assertion', 'meaning'] },
    'xen-flag': { required: 'meaning', allowed: ['meaning'] },
  };

const NOTHING: Expectation = { required: {}, allowed: [] };

export const EXPECTATIONS: { readonly [preset in PresetName]: Expectation } = {
  bql: NOTHING,
  'legacy-race': {
    required: { 'callback-comparator': ['race', 'meaning'], 'reset-write': ['race'] },
    allowed: ['race', 'meaning', 'assertion', 'livelock'],
  },
  'nested-mutex': {
    required: { 'callback-comparator': ['deadlock'], 'reset-write': ['deadlock'] },
    allowed: ['deadlock'],
  },
  'lockless-timer': NOTHING,
  'lockless-irq': NOTHING,
  'deferred-irq': { required: { 'callback-comparator': ['stale', 'meaning'] }, allowed: ['stale', 'meaning'] },
  'drop-reacquire': NOTHING,
  'lockless-timer+irq': NOTHING,
  'deferred-revalidated': NOTHING,
  'kick-and-drain': NOTHING,
  'try-queue': NOTHING,
};

/** What of a design's findings in a scenario is missing or not expected, in words; empty if all is as it should be. */
export function unexpected(preset: PresetName, scenario: string, kinds: readonly FindingKind[]): string[] {
  const { required, allowed } = EXPECTATIONS[preset];
  const xen = WITHOUT_BQL.includes(preset) ? XEN_FORMS[scenario] : undefined;
  const wanted = [...(required[scenario] ?? []), ...(xen ? [xen.required] : [])];
  const missing = wanted.filter((kind) => !kinds.includes(kind));
  const surplus = [...new Set(kinds)].filter((kind) => !allowed.includes(kind) && !xen?.allowed.includes(kind));
  return [...missing.map((kind) => `no ${kind} found`), ...surplus.map((kind) => `unexpected ${kind}`)];
}
