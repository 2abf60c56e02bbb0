import type { PresetName } from '../../../core/locking/presets.js';
import type { ExploreOptions } from '../explorer.js';
import type { FindingKind } from '../finding.js';

/**
 * A known mistake of a line or two, planted in a test double of the seam or of a part of the production code, to see that
 * exploration finds it.
 */
export interface Plant {
  readonly name: string;
  /** What is wrong, in a few words. */
  readonly mistake: string;
  /** The design that is right without it. */
  readonly locking: PresetName;
  /** The scenario that catches it for certain, and as what. */
  readonly scenario: string;
  readonly kind: FindingKind;
  /** The mistaken combination of axes, where that is the mistake: `mmio/timer/irq/control`. */
  readonly design?: string;
  /** A switch of the machine, where that is the mistake, a double of the seam, or what puts it into the production code. */
  readonly options?: Pick<ExploreOptions, 'machine' | 'memory' | 'plant'>;
}

/** A method in place of the right one, which it is given; returns what puts that back. */
export function replaced<T extends object, K extends keyof T>(owner: T, name: K, double: (right: T[K]) => T[K]) {
  const right = owner[name];
  owner[name] = double(right);
  return (): void => {
    owner[name] = right;
  };
}
