import { randomBytes } from 'node:crypto';
import type { Clock } from './clock.js';
import { type ClusterStore, Conflict } from './store.js';

const PREFIX = 'secret.';
const KEY = `${PREFIX}nodes`;
const BYTES = 32;
/** Between two tries to read the secret while the store does not answer. */
const RETRY_MS = 500;

/**
 * The secret that all nodes of a cluster share, in a store that only nodes can read. The first node makes it. If an operator
 * deletes it from the store, the nodes make another; the one before is good for `keptMs` from then on.
 */
export class NodeSecret {
  #keys: readonly Buffer[] = [];
  #revision = 0;
  #stopWatch = () => {};
  #isStopped = false;

  constructor(
    readonly store: ClusterStore,
    readonly clock: Clock,
    readonly keptMs: number,
  ) {}

  /** The one to sign with; undefined before `start` has resolved. */
  get current(): Buffer | undefined {
    return this.#keys[0];
  }

  /** Those to verify with. */
  get accepted(): readonly Buffer[] {
    return this.#keys;
  }

  async start(): Promise<void> {
    await this.#make();
    const { stop } = await this.store.watch(PREFIX, ({ key, value, revision }) => {
      if (key !== KEY || this.#isStopped) return;
      if (value) this.#take(value, revision);
      else this.#makeSoon();
    });
    if (this.#isStopped) stop();
    else this.#stopWatch = stop;
  }

  stop(): void {
    this.#isStopped = true;
    this.#stopWatch();
  }

  async #make(): Promise<void> {
    const own = randomBytes(BYTES);
    try {
      this.#take(own, await this.store.create(KEY, own));
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
      const entry = await this.store.get(KEY);
      if (entry) this.#take(entry.value, entry.revision);
      else await this.#make();
    }
  }

  #makeSoon(): void {
    this.#make().catch(() => {
      if (!this.#isStopped) this.clock.after(RETRY_MS, () => this.#makeSoon());
    });
  }

  /** The watch may be late: an earlier secret does not replace a later one. */
  #take(value: Uint8Array, revision: number): void {
    if (revision <= this.#revision) return;
    this.#revision = revision;
    const [before] = this.#keys;
    const key = Buffer.from(value);
    this.#keys = before ? [key, before] : [key];
    if (!before) return;
    this.clock.after(this.keptMs, () => {
      this.#keys = this.#keys.filter((each) => each !== before);
    });
  }
}
