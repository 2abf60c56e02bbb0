import { type Change, type ClusterStore, Conflict, type Entry } from '../../../../src/server/cluster/store.js';
import type { Process, World } from './world.js';

/** How a network treats messages. */
export interface Network {
  /** ms of a message, at least; some take up to `slowest`. */
  readonly delay: number;
  readonly slowest: number;
  /** Parts of the messages that are slow, lost, or come twice. */
  readonly slow: number;
  readonly lost: number;
  readonly repeated: number;
}

/** After which a client gives an operation up; it may be applied later. */
const TIMEOUT_MS = 2000;

export function delayOf(world: World, { delay, slowest, slow }: Network): number {
  return world.chance(slow) ? world.between(delay, slowest) : world.between(delay, 2 * delay);
}

/** What the quorum of NATS servers has: one value per key, and a revision that grows. */
export class StoredKeys {
  revision = 0;
  readonly #entries = new Map<string, Entry>();
  readonly #watches = new Set<Watch>();

  /** `onChange` is called with every change, in order. */
  constructor(readonly onChange: (change: Change) => void) {}

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  /** Writes or removes a key; revision 0: that does not exist, undefined: whatever it is. */
  set(key: string, value: Uint8Array | undefined, expected: number | undefined): number {
    if (expected !== undefined && (this.#entries.get(key)?.revision ?? 0) !== expected) throw new Conflict(key);
    const change = { key, value, revision: ++this.revision };
    if (value) this.#entries.set(key, { key, value, revision: change.revision });
    else this.#entries.delete(key);
    this.onChange(change);
    for (const watch of this.#watches) watch.note(change);
    return change.revision;
  }

  list(prefix: string): Entry[] {
    return [...this.#entries.values()].filter(({ key }) => key.startsWith(prefix));
  }

  add(watch: Watch): void {
    this.#watches.add(watch);
    for (const entry of this.list(watch.prefix)) watch.note(entry);
  }

  remove(watch: Watch): void {
    this.#watches.delete(watch);
  }
}

/** Changes on their way to a process, in order; of a key that changes meanwhile, the last. */
class Watch {
  readonly #waiting = new Map<string, Change>();
  #isScheduled = false;

  constructor(
    readonly world: World,
    readonly process: Process,
    readonly network: Network,
    readonly prefix: string,
    readonly listener: (change: Change) => void,
  ) {}

  note(change: Change): void {
    if (!change.key.startsWith(this.prefix)) return;
    this.#waiting.delete(change.key);
    this.#waiting.set(change.key, change);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.process.hasEnded) return;
    this.#isScheduled = true;
    this.world.schedule(delayOf(this.world, this.network), this.process, () => {
      this.#isScheduled = false;
      // A connection that is lost begins with the last values once it is there again.
      if (this.process.getsNothing) return this.#schedule();
      const changes = [...this.#waiting.values()];
      this.#waiting.clear();
      for (const change of changes) this.listener(change);
    });
  }
}

/** The same keys as a process reaches them: over messages that may be slow, lost or repeated. */
export class SimulatedStore implements ClusterStore {
  constructor(
    readonly world: World,
    readonly process: Process,
    readonly network: Network,
    readonly keys_: StoredKeys,
  ) {}

  get(key: string): Promise<Entry | undefined> {
    return this.#ask(() => this.keys_.get(key));
  }

  create(key: string, value: Uint8Array): Promise<number> {
    return this.#ask(() => this.keys_.set(key, value, 0));
  }

  update(key: string, value: Uint8Array, revision: number): Promise<number> {
    return this.#ask(() => this.keys_.set(key, value, revision));
  }

  delete(key: string, revision: number): Promise<void> {
    return this.#ask(() => void this.keys_.set(key, undefined, revision));
  }

  remove(key: string): Promise<void> {
    return this.#ask(() => void (this.keys_.get(key) && this.keys_.set(key, undefined, undefined)));
  }

  list(prefix: string): Promise<Entry[]> {
    return this.#ask(() => this.keys_.list(prefix));
  }

  keys(prefix: string): Promise<string[]> {
    return this.#ask(() => this.keys_.list(prefix).map(({ key }) => key));
  }

  async watch(prefix: string, listener: (change: Change) => void): Promise<{ stop(): void }> {
    const watch = new Watch(this.world, this.process, this.network, prefix, listener);
    this.keys_.add(watch);
    return { stop: () => this.keys_.remove(watch) };
  }

  /** Sends an operation, applies it, and sends its outcome. */
  #ask<T>(operation: () => T): Promise<T> {
    return exchange(this.world, this.process, this.network, undefined, async () => operation());
  }
}

/** A request to another process, or the store, and its answer. */
export function exchange<T>(
  world: World,
  from: Process,
  network: Network,
  to: Process | undefined,
  work: () => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = from.after(TIMEOUT_MS, () => reject(new Error('no answer')));
    const isLost = () => world.chance(network.lost);
    const answer = (settle: () => void) => {
      if (to?.sendsNothing || isLost()) return;
      world.schedule(delayOf(world, network), from, () => {
        if (from.getsNothing) return;
        cancel();
        settle();
      });
    };
    const send = () => {
      if (from.sendsNothing || isLost()) return;
      world.schedule(delayOf(world, network), to, () => {
        if (to?.getsNothing) return;
        work().then(
          (result) => answer(() => resolve(result)),
          (error) => answer(() => reject(error)),
        );
      });
    };
    send();
    if (world.chance(network.repeated)) send();
  });
}
