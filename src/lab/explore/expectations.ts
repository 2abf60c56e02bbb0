import { PRESET_NAMES, type PresetName } from '../../core/locking/presets.js';
import type { FindingKind } from './finding.js';

/** What exploring a design must find, over all scenarios, and what it may find; anything else fails. */
export interface Expectation {
  /** Per scenario, the kinds of findings that must be there. */
  readonly required: { readonly [scenario: string]: readonly FindingKind[] };
  readonly allowed: readonly FindingKind[];
}

/** The designs in which no vCPU holds the BQL where the Xen filter is entered. */
const WITHOUT_BQL: readonly PresetName[] = ['lockless-irq', 'lockless-timer+irq', 'kick-and-drain', 'try-queue'];

/**
 * The designs in which a callback that was chosen to run may have to wait while it is cancelled. In `nested-mutex` who
 * cancels it then waits for the BQL that it holds.
 */
const WAITING_CALLBACK: readonly PresetName[] = PRESET_NAMES.filter(
  (name) => name !== 'bql' && name !== 'nested-mutex',
);

/** The designs in which a vCPU takes the BQL where it changes a line, with the mutex held. */
const BQL_UNDER_MUTEX: readonly PresetName[] = ['legacy-race', 'nested-mutex', 'lockless-timer', 'drop-reacquire'];

/** Findings that a scenario's own switch is to blame for, and not the design. */
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
  // A line change that is still on a vCPU thread's list is in no snapshot: why the gateway waits until no vCPU is inside.
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
      // The torn value is found where accesses to racy words are scheduling points.
      'comparator-read': ['race', 'linearizability'],
      'reset-write': ['race'],
    },
    allowed: ['race', 'linearizability', 'assertion', 'livelock'],
  },
  'nested-mutex': {
    required: { 'callback-comparator': ['deadlock', 'lock-order'], 'reset-write': ['deadlock', 'lock-order'] },
    // Where deadlocks are broken, the main loop lets go of the BQL.
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

/** What of a design's findings in a scenario is missing or not expected, in words; empty if all is as it should be. */
export function unexpected(preset: PresetName, scenario: string, kinds: readonly FindingKind[]): string[] {
  const switched = switchesOf(preset, scenario).flatMap(({ required }) => required);
  const wanted = [...(EXPECTATIONS[preset].required[scenario] ?? []), ...switched];
  const missing = wanted.filter((kind) => !kinds.includes(kind));
  const surplus = [...new Set(kinds)].filter((kind) => !isAllowed(preset, scenario, kind));
  return [...missing.map((kind) => `no ${kind} found`), ...surplus.map((kind) => `unexpected ${kind}`)];
}
