import type { Design } from '../../core/locking/axes.js';
import { PRESETS, type PresetName } from '../../core/locking/presets.js';
import type { FindingKind } from './finding.js';

/** The findings that exploration of a design must and may have over all scenarios. Any other finding is a failure. */
export interface Expectation {
  /** Per scenario, the kinds of findings that must be there. */
  readonly required: { readonly [scenario: string]: readonly FindingKind[] };
  readonly allowed: readonly FindingKind[];
}

/** Findings caused by a scenario's own switch, not by the design. */
interface SwitchExpectation {
  /** The designs that the switch affects, by their traits. */
  readonly affects: (design: Design) => boolean;
  readonly required: readonly FindingKind[];
  readonly allowed: readonly FindingKind[];
}

/** vCPUs enter the Xen filter without the BQL. */
const withoutBql = ({ irq }: Design) => irq.lockless;

/**
 * A dequeued callback may wait for a lock while it is cancelled. With naive control and inline changes the canceller
 * waits for the BQL that the callback holds.
 */
const waitingCallback = ({ mmio, timer, irq, control }: Design) => {
  const isNested = timer.keepsBql && irq.takesBql && control.takesMutex && !control.followsOrder;
  return !mmio.underBql && !isNested;
};

/** vCPUs take the BQL under the mutex to change a line. */
const bqlUnderMutex = ({ mmio, irq }: Design) => !mmio.underBql && irq.takesBql;

/** A thread leaves line changes to its own list of deferred ones. */
const deferring = ({ mmio, irq }: Design) => !mmio.underBql && irq.numbered;

const SWITCHES: { readonly [scenario: string]: readonly SwitchExpectation[] } = {
  'xen-flag-assert': [{ affects: withoutBql, required: ['assertion'], allowed: ['assertion', 'linearizability'] }],
  'xen-flag': [{ affects: withoutBql, required: ['linearizability'], allowed: ['linearizability'] }],
  'seqlock-legacy': [
    { affects: () => true, required: ['lock-order'], allowed: ['lock-order'] },
    { affects: bqlUnderMutex, required: ['livelock'], allowed: ['livelock'] },
  ],
  // A snapshot misses line changes on a vCPU thread's deferred list. This is why the quiesce gate drains vCPUs first.
  'save-write': [{ affects: deferring, required: ['linearizability'], allowed: ['linearizability'] }],
  'generation-check': [{ affects: waitingCallback, required: ['linearizability'], allowed: ['linearizability'] }],
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
  return EXPECTATIONS[preset].allowed.includes(kind) || isOfSwitch(PRESETS[preset], scenario, kind);
}

/** Whether a scenario's own switch, and not the design, may cause findings of a kind. */
export function isOfSwitch(design: Design, scenario: string, kind: FindingKind): boolean {
  return switchesOf(design, scenario).some(({ allowed }) => allowed.includes(kind));
}

function switchesOf(design: Design, scenario: string): readonly SwitchExpectation[] {
  return (SWITCHES[scenario] ?? []).filter(({ affects }) => affects(design));
}

/** Missing and unexpected findings of a design in a scenario; empty if all are as expected. */
export function unexpected(preset: PresetName, scenario: string, kinds: readonly FindingKind[]): string[] {
  const switched = switchesOf(PRESETS[preset], scenario).flatMap(({ required }) => required);
  const wanted = [...(EXPECTATIONS[preset].required[scenario] ?? []), ...switched];
  const missing = wanted.filter((kind) => !kinds.includes(kind));
  const surplus = [...new Set(kinds)].filter((kind) => !isAllowed(preset, scenario, kind));
  return [...missing.map((kind) => `no ${kind} found`), ...surplus.map((kind) => `unexpected ${kind}`)];
}
