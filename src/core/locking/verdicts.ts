import type { DesignClass, Verdict } from './presets.js';

/** What exploration says about a design, with the scope of that statement. */
export interface ExploredVerdict {
  readonly verdict: Verdict;
  /** Scenarios of which every reachable state was visited. */
  readonly complete: number;
  /** The other scenarios: how many were explored up to which number of preemptions. */
  readonly bounded: readonly { readonly scenarios: number; readonly preemptions: number }[];
}

/** Exploration executes one operation after the other. Weaker memory, as C11 has it, is outside its scope. */
const MEMORY = 'sequentially consistent memory';

/** The verdict and its scope in one line: `safe: 41 scenarios complete, 2 up to 2 preemptions; …`. */
export function verdictText({ verdict, complete, bounded }: ExploredVerdict): string {
  const parts = bounded.map(({ scenarios, preemptions }) => `${scenarios} up to ${preemptions} preemptions`);
  return `${verdict}: ${[`${complete} scenarios complete`, ...parts].join(', ')}; ${MEMORY}`;
}

/** The class under which presets, machines and metrics show a verdict. */
export function classOf(verdict: Verdict): DesignClass {
  return verdict === 'safe' || verdict === 'stale' ? verdict : 'unsafe';
}
