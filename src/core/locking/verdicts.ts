import { EXPLORED } from './explored.js';

/** The worst property that a design violates. */
export type Verdict = 'safe' | 'stale' | 'race' | 'deadlock';

/** The class of a verdict: *safe*; *stale*: no deadlock and no race, but a line can be wrong; *unsafe*. */
export type DesignClass = 'safe' | 'stale' | 'unsafe';

/** How far scenarios or programs were explored. */
export interface Extent {
  /** Those of which every reachable state was visited. */
  readonly complete: number;
  /** The others: how many were explored up to which number of preemptions. */
  readonly bounded: readonly { readonly count: number; readonly preemptions: number }[];
}

/** What exploration says about a design, with the scope of that statement. */
export interface ExploredVerdict {
  readonly verdict: Verdict;
  readonly scenarios: Extent;
  /** Generated programs. */
  readonly programs: Extent;
}

/** Exploration executes one operation after the other. Weaker memory, as C11 has it, is outside its scope. */
const MEMORY = 'sequentially consistent memory';

/** The verdict on a preset that `npm run docs:designs` has stored; undefined if it has not been explored. */
export function storedVerdict(preset: string): ExploredVerdict | undefined {
  const stored: { readonly [preset: string]: ExploredVerdict } = EXPLORED;
  return Object.hasOwn(stored, preset) ? stored[preset] : undefined;
}

/** The class of a preset; undefined if it has not been explored. */
export function classOfPreset(preset: string): DesignClass | undefined {
  const stored = storedVerdict(preset);
  return stored && classOf(stored.verdict);
}

/** The class under which presets, machines and metrics show a verdict. */
export function classOf(verdict: Verdict): DesignClass {
  return verdict === 'safe' || verdict === 'stale' ? verdict : 'unsafe';
}

/** The verdict and its scope in one line: `safe: 46 scenarios complete, 3 up to 2 preemptions; …`. */
export function verdictText(explored: ExploredVerdict | undefined): string {
  return explored ? `${explored.verdict}: ${scopeText(explored)}` : 'not explored';
}

/** The scope of a verdict. */
export function scopeText({ scenarios, programs }: ExploredVerdict): string {
  const parts = [extentText(scenarios, 'scenario'), extentText(programs, 'generated program'), MEMORY];
  return parts.filter((part) => part !== '').join('; ');
}

/** Empty for nothing at all. The first part names what is counted. */
function extentText({ complete, bounded }: Extent, what: string): string {
  const parts = [
    { count: complete, how: 'complete' },
    ...bounded.map(({ count, preemptions }) => ({ count, how: `up to ${counted(preemptions, 'preemption')}` })),
  ].filter(({ count }) => count > 0);
  return parts.map(({ count, how }, index) => `${index === 0 ? counted(count, what) : count} ${how}`).join(', ');
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
