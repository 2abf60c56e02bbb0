import { type Clock, pause } from './clock.js';
import { type ClusterStore, Conflict, type Entry } from './store.js';

/** Between two tries of an operation that failed. */
const RETRY_MS = 100;

/** A write that was given up before its outcome was known: it may have been applied, or may be later. */
export class Unsettled extends Error {
  override readonly name = 'Unsettled';

  constructor(key: string, cause?: unknown) {
    super(`whether ${key} was written is unknown`, { cause });
  }
}

/** Operations on a store that are repeated until their outcome is known, or `goesOn` returns false. */
export class SettledStore {
  constructor(
    readonly store: ClusterStore,
    readonly clock: Clock,
    readonly goesOn: () => boolean,
  ) {}

  /**
   * Writes a value that no other writer writes, over a revision, or where there was none (0). A repetition that comes too
   * late finds the value of the first try, which counts. Returns the revision. Throws `Conflict` or `Unsettled`.
   */
  write(key: string, value: Uint8Array, revision: number): Promise<number> {
    return this.#settled(key, async () => {
      try {
        return await (revision > 0 ? this.store.update(key, value, revision) : this.store.create(key, value));
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        const last = await this.store.get(key);
        if (last && isEqual(last.value, value)) return last.revision;
        throw error;
      }
    });
  }

  /** Throws `Conflict` if another writer was first, unless the key was deleted; or `Unsettled`. */
  delete(key: string, revision: number): Promise<void> {
    return this.#settled(key, async () => {
      try {
        await this.store.delete(key, revision);
      } catch (error) {
        if (!(error instanceof Conflict) || (await this.store.get(key))) throw error;
      }
    });
  }

  /** Throws `Unsettled` if the store does not answer. */
  get(key: string): Promise<Entry | undefined> {
    return this.#settled(key, () => this.store.get(key));
  }

  async #settled<T>(key: string, work: () => Promise<T>): Promise<T> {
    let cause: unknown;
    while (this.goesOn()) {
      try {
        return await work();
      } catch (error) {
        if (error instanceof Conflict) throw error;
        cause = error;
        await pause(this.clock, RETRY_MS);
      }
    }
    throw new Unsettled(key, cause);
  }
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
