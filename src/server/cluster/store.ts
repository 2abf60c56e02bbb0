/** A value under a key. Revisions grow over the whole store: a later change of any key has a greater one. */
export interface Entry {
  readonly key: string;
  readonly value: Uint8Array;
  readonly revision: number;
}

/** A change that a watch reports; without a value the key was deleted. */
export interface Change {
  readonly key: string;
  readonly value: Uint8Array | undefined;
  readonly revision: number;
}

/** Another writer was first: the key no longer has the revision that the writer expected. Nothing was written. */
export class Conflict extends Error {
  override readonly name = 'Conflict';

  constructor(key: string) {
    super(`${key} has another revision`);
  }
}

/**
 * Keys and values that all nodes of a cluster share, with compare-and-set. A write is durable when it resolves: a quorum
 * has it. Throws `Conflict` where nothing was written; after any other error a write may have been applied, or may be later.
 */
export interface ClusterStore {
  /** The last value, from the leader; undefined if there is none. It may be late: only a write shows that it was the last. */
  get(key: string): Promise<Entry | undefined>;
  /** Writes a key that does not exist; returns its revision. */
  create(key: string, value: Uint8Array): Promise<number>;
  /** Writes a key that has this revision; returns the new one. */
  update(key: string, value: Uint8Array, revision: number): Promise<number>;
  /** Deletes a key that has this revision. */
  delete(key: string, revision: number): Promise<void>;
  /** Removes a key, whatever its revision: for values that nobody updates. */
  remove(key: string): Promise<void>;
  /** All keys that begin with a prefix, which ends at a dot, with their values. */
  list(prefix: string): Promise<Entry[]>;
  /** The same keys without their values. */
  keys(prefix: string): Promise<string[]>;
  /**
   * Reports the last value of each key that begins with a prefix, and every change from then on, in order; some that
   * later ones replaced may be left out. `stop` ends it.
   */
  watch(prefix: string, listener: (change: Change) => void): Promise<{ stop(): void }>;
}

/** A name as one part of a key, which has no dots: other characters than letters, digits, `-` and `_` become `=XX`. */
export function keyPart(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]/g, (character) =>
    [...new TextEncoder().encode(character)].map((byte) => `=${byte.toString(16).padStart(2, '0')}`).join(''),
  );
}
