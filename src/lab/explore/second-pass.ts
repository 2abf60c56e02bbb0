import type { Design } from '../../core/locking/axes.js';
import { boundOf, explore } from './explore.js';
import type { ExploreOptions } from './explorer.js';
import type { Counterexample } from './finding.js';
import { setUp } from './fixture.js';
import type { Scenario } from './scenario.js';

/** Bound on preemptions in the second pass: a race is between two threads, and so is its effect. */
const PREEMPTIONS = 2;
/** Bound on states in the second pass. */
const STATES = 100_000;

/** The result of exploration with racy data words as scheduling points. */
export interface SecondPass {
  /** The words, by name. */
  readonly words: readonly string[];
  readonly preemptions: number;
  /** Every state within the bound was visited. */
  readonly complete: boolean;
  readonly states: number;
  readonly transitions: number;
  /** Findings that the first pass does not have: the effects of the races. */
  readonly findings: readonly Counterexample[];
}

/**
 * Explores again with every access to a racy word a scheduling point. The first pass finds that two accesses are
 * unordered, the second the effect of each order. Undefined without a race.
 */
export function secondPass(
  scenario: Scenario,
  design: Design,
  options: ExploreOptions,
  first: readonly Counterexample[],
): SecondPass | undefined {
  const points = [...new Set(first.flatMap(({ address }) => address ?? []))].sort((a, b) => a - b);
  if (points.length === 0) return undefined;
  const preemptions = Math.min(boundOf(scenario, design, options) ?? PREEMPTIONS, PREEMPTIONS);
  const { maxStates = STATES } = options;
  const again = explore(scenario, design, { ...options, points, preemptions, maxStates });
  const known = new Set(first.map(identity));
  const { names } = setUp(scenario, design, true, options.machine);
  return {
    words: points.map((address) => names.word(address)),
    preemptions,
    complete: again.states < maxStates,
    states: again.states,
    transitions: again.transitions,
    findings: again.findings.filter((finding) => !known.has(identity(finding))),
  };
}

function identity({ kind, key, summary }: Counterexample): string {
  return `${kind} ${key ?? summary}`;
}
