import type { PresetName } from '../../../core/locking/presets.js';
import type { ExploreOptions } from '../explorer.js';
import type { FindingKind } from '../finding.js';

/**
 * A known bug of a line or two, seeded through a test double of the seam or of a part of the production code, to show
 * that exploration finds it.
 */
export interface SeededBug {
  readonly name: string;
  /** What the code does wrong. */
  readonly description: string;
  /** A design that is correct without the bug. */
  readonly locking: PresetName;
  /** A scenario that finds the bug, and the kind of finding. */
  readonly scenario: string;
  readonly kind: FindingKind;
  /** A wrong combination of axes, where that is the bug: `mmio/timer/irq/control`. */
  readonly design?: string;
  /** A switch of the machine, a double of the seam, or a change of the production code. */
  readonly options?: Pick<ExploreOptions, 'machine' | 'memory' | 'seedBug'>;
}

/** Replaces a method by `double(original)`; returns what restores the original. */
export function replaced<T extends object, K extends keyof T>(owner: T, name: K, double: (original: T[K]) => T[K]) {
  const original = owner[name];
  owner[name] = double(original);
  return (): void => {
    owner[name] = original;
  };
}

/** Several replacements as one. */
export function all(...restores: readonly (() => void)[]) {
  return (): void => {
    for (const restore of restores) restore();
  };
}
