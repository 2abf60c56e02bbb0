/**
 * What an oracle found wrong.
 *
 * - `race`: two plain accesses that nothing orders, one of them a write
 * - `deadlock`: threads that wait for each other, or for a wake-up that never comes
 * - `livelock`: threads that go on for ever without getting anywhere
 * - `order`: a lock taken against the declared order
 * - `stale`, `meaning`: the device does what no sequential order of the same operations would do, for a while or for good
 * - `assertion`: production code threw, or ended a step with a lock held
 * - `section`: something read under a lock need not hold any more after a callback that released it; informative
 */
export type FindingKind = 'race' | 'deadlock' | 'livelock' | 'order' | 'stale' | 'meaning' | 'assertion' | 'section';

export interface Finding {
  readonly kind: FindingKind;
  /** One line that names what is wrong. */
  readonly summary: string;
  /** Findings of one kind and key are one finding, told once; the summary if not given. */
  readonly key?: string;
  /** The word that it is about, if it is about one. */
  readonly word?: string;
  /** Of a race between two accesses: the absolute address of that word. */
  readonly address?: number;
}

/** Worst first. */
export const KINDS: readonly FindingKind[] = [
  'race',
  'deadlock',
  'livelock',
  'assertion',
  'meaning',
  'stale',
  'order',
  'section',
];

/** Worst first; of one kind, as they are. */
export function worstFirst<T extends Finding>(findings: readonly T[]): T[] {
  return [...findings].sort((one, other) => KINDS.indexOf(one.kind) - KINDS.indexOf(other.kind));
}

/** Without what only informs. */
export function faults<T extends Finding>(findings: readonly T[]): T[] {
  return findings.filter(({ kind }) => kind !== 'section');
}

/** A finding with the shortest sequence of transitions that leads to it. */
export interface Counterexample extends Finding {
  readonly path: readonly number[];
  /** Data words, by absolute address, an access to which is a transition of its own on this way. */
  readonly points?: readonly number[];
}
