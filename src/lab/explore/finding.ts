import type { Verdict } from '../../core/locking/verdicts.js';

/**
 * A kind of finding names the property that is violated.
 *
 * - `race`: two plain accesses that nothing orders, one of them a write
 * - `deadlock`: threads that wait for each other, or for a wakeup that never comes
 * - `livelock`: threads that spin forever without progress
 * - `assertion`: production code threw, or broke a rule about locks or waiting
 * - `linearizability`: an outcome that no sequential order of the same operations has
 * - `not-serializable`: an outcome of a generated program that no order of its atomic steps has in the reference
 * - `not-linearizable`: the same, of a program in which one operation begins after another has returned
 * - `stale`: a deferred line change that is applied after its source has changed again
 * - `lock-order`: a lock taken against the declared order
 * - `atomicity`: state read under a lock may have changed after a callback that released the lock; informative
 */
export type FindingKind =
  | 'race'
  | 'deadlock'
  | 'livelock'
  | 'lock-order'
  | 'stale'
  | 'linearizability'
  | 'not-serializable'
  | 'not-linearizable'
  | 'assertion'
  | 'atomicity';

export interface Finding {
  readonly kind: FindingKind;
  /** One line that describes the fault. */
  readonly summary: string;
  /** Findings of one kind and key are reported once. Default: the summary. */
  readonly key?: string;
  /** The name of the word that the finding is about, if any. */
  readonly word?: string;
  /** The absolute address of the word, if the finding is a race between two accesses. */
  readonly address?: number;
}

/** Kinds of a wrong outcome. */
const OUTCOMES: readonly FindingKind[] = ['linearizability', 'not-linearizable', 'not-serializable', 'stale'];

/** Worst first. */
export const KINDS: readonly FindingKind[] = [
  'race',
  'deadlock',
  'livelock',
  'assertion',
  'linearizability',
  'not-linearizable',
  'not-serializable',
  'stale',
  'lock-order',
  'atomicity',
];

/** Sorts the worst kind first; stable within a kind. */
export function worstFirst<T extends Finding>(findings: readonly T[]): T[] {
  return [...findings].sort((one, other) => KINDS.indexOf(one.kind) - KINDS.indexOf(other.kind));
}

/** The finding to show first: of the worst kind, and of races one between two accesses. */
export function worstOf<T extends Finding>(findings: readonly T[]): T | undefined {
  const sorted = worstFirst(findings);
  const ofWorstKind = sorted.filter(({ kind }) => kind === sorted[0].kind);
  return ofWorstKind.find(({ address }) => address !== undefined) ?? ofWorstKind[0];
}

/** Without informative findings. */
export function faults<T extends Finding>(findings: readonly T[]): T[] {
  return findings.filter(({ kind }) => kind !== 'atomicity');
}

/** A finding with the shortest sequence of transitions that leads to it. */
export interface Counterexample extends Finding {
  readonly path: readonly number[];
  /** Absolute addresses of the data words at which an access is a transition of its own on this path. */
  readonly points?: readonly number[];
}

/** The verdict on a design with findings of these kinds. */
export function verdictOf(kinds: Iterable<FindingKind>): Verdict {
  const found = new Set(kinds);
  if (found.has('race')) return 'race';
  if (found.has('deadlock') || found.has('livelock') || found.has('assertion')) return 'deadlock';
  return OUTCOMES.some((kind) => found.has(kind)) ? 'stale' : 'safe';
}
