import { PRESET_NAMES, type PresetName } from '../../core/locking/presets.js';
import type { FindingKind } from './finding.js';

/** The findings that exploration of a design must and may have over all scenarios. Any other finding is a failure. */
export interface Expectation {
  /** Per scenario, the kinds of findings that must be there. */
  readonly required: { readonly [scenario: string]: readonly FindingKind[] };
  readonly allowed: readonly FindingKind[];
}

/** Designs whose vCPUs enter the Xen filter without the BQL. */
const WITHOUT_BQL: readonly PresetName[] = ['lockless-irq', 'lockless-timer+irq', 'kick-and-drain', 'try-queue'];

/**
 * Designs whose dequeued callback may wait for a lock while it is cancelled. In `nested-mutex` the canceller waits for
 * the BQL that the callback holds.
 */
const WAITING_CALLBACK: readonly PresetName[] = PRESET_NAMES.filter(
  (name) => name !== 'bql' && name !== 'nested-mutex',
);

/** Designs whose vCPUs take the BQL under the mutex to change a line. */
const BQL_UNDER_MUTEX: readonly PresetName[] = ['legacy-race', 'nested-mutex', 'lockless-timer', 'drop-reacquire'];

/** Findings caused by a scenario's own switch, not by the design. */
interface SwitchExpectation {
  readonly designs: readonly PresetName[];
  readonly required: readonly FindingKind[];
  readonly allowed: readonly FindingKind[];
}

const SWITCHES: { readonly [scenario: string]: readonly SwitchExpectation[] } = {
  'xen-flag-assert': [{ designs: WITHOUT_BQL, required: ['assertion'], allowed: ['assertion', 'linearizability'] }],
  'xen-flag': [{ designs: WITHOUT_BQL, required: ['linearizability'], allowed: ['linearizability'] }],
  'seqlock-legacy': [
    { designs: PRESET_NAMES, required: ['lock-order'], allowed: ['lock-order'] },
    { designs: BQL_UNDER_MUTEX, required: ['livelock'], allowed: ['livelock'] },
  ],
  // A snapshot misses line changes on a vCPU thread's deferred list. This is why the quiesce gate drains vCPUs first.
  'save-write': [
    { designs: ['deferred-irq', 'deferred-revalidated'], required: ['linearizability'], allowed: ['linearizability'] },
  ],
  'generation-check': [{ designs: WAITING_CALLBACK, required: ['linearizability'], allowed: ['linearizability'] }],
};

const NOTHING: Expectation = { required: {}, allowed: [] };
/** Informative: the main loop releases the BQL in the middle of its section. */
const ATOMICITY: Expectation = { required: {}, allowed: ['atomicity'] };
const ATOMICITY_FOUND: Expectation = { required: { 'callback-acknowledge': ['atomicity'] }, allowed: ['atomicity'] };

export const EXPECTATIONS: { readonly [preset in PresetName]: Expectation } = {
  bql: NOTHING,
  'legacy-race': {
    required: {
      'callback-comparator': ['race', 'linearizability'],
      // The second pass finds the torn value.
      'comparator-read': ['race', 'linearizability'],
      'reset-write': ['race'],
    },
    allowed: ['race', 'linearizability', 'not-serializable', 'not-linearizable', 'assertion', 'livelock'],
  },
  'nested-mutex': {
    required: { 'callback-comparator': ['deadlock', 'lock-order'], 'reset-write': ['deadlock', 'lock-order'] },
    // To break a deadlock, the main loop releases the BQL.
    allowed: ['deadlock', 'lock-order', 'atomicity'],
  },
  'lockless-timer': ATOMICITY_FOUND,
  'lockless-irq': NOTHING,
  'deferred-irq': {
    required: { 'callback-comparator': ['stale', 'linearizability'] },
    allowed: ['stale', 'linearizability'],
  },
  'drop-reacquire': ATOMICITY_FOUND,
  'lockless-timer+irq': ATOMICITY,
  'deferred-revalidated': NOTHING,
  'kick-and-drain': NOTHING,
  'try-queue': ATOMICITY,
};

/** Whether a design may have findings of a kind in a scenario. */
export function isAllowed(preset: PresetName, scenario: string, kind: FindingKind): boolean {
  if (EXPECTATIONS[preset].allowed.includes(kind)) return true;
  return switchesOf(preset, scenario).some(({ allowed }) => allowed.includes(kind));
}

function switchesOf(preset: PresetName, scenario: string): readonly SwitchExpectation[] {
  return (SWITCHES[scenario] ?? []).filter(({ designs }) => designs.includes(preset));
}

/** Missing and unexpected findings of a design in a scenario; empty if all are as expected. */
export function unexpected(preset: PresetName, scenario: string, kinds: readonly FindingKind[]): string[] {
  const switched = switchesOf(preset, scenario).flatMap(({ required }) => required);
  const wanted = [...(EXPECTATIONS[preset].required[scenario] ?? []), ...switched];
  const missing = wanted.filter((kind) => !kinds.includes(kind));
  const surplus = [...new Set(kinds)].filter((kind) => !isAllowed(preset, scenario, kind));
  return [...missing.map((kind) => `no ${kind} found`), ...surplus.map((kind) => `unexpected ${kind}`)];
}
