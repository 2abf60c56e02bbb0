import type { Clock } from './clock.js';
import { closeLease, type LeaseTimes } from './lease.js';
import { decodeLease, LEASES, type LeaseRecord, leaseKey, type NodeLife } from './records.js';
import type { Change, ClusterStore } from './store.js';

/** How often leases are checked, in parts of a ttl. */
const CHECKS = 8;
/** Nodes without a lease that are remembered; the one that left longest ago is forgotten first. */
const MOST_GONE = 64;

export interface Member {
  readonly record: LeaseRecord;
  readonly revision: number;
  /** When this node saw the last renewal, by its own clock. */
  readonly seen: number;
}

/** A node without a lease. */
export interface Gone {
  readonly record: LeaseRecord;
  readonly since: number;
}

export interface MembersParts {
  readonly store: ClusterStore;
  readonly clock: Clock;
  readonly times: LeaseTimes;
  /** Whether this node may close leases of others now. */
  readonly mayClose: () => boolean;
  /** Called when any node has closed a lease. */
  readonly closed: (life: NodeLife) => void;
}

/** The nodes whose leases are open, as far as this node has seen. Closes leases that are no longer renewed. */
export class Members {
  readonly #members = new Map<string, Member>();
  /** Keys of closed leases: a late report of the watch does not open them again. No key comes twice. */
  readonly #over = new Set<string>();
  /** By node: the last life, and when this node saw its lease closed. */
  readonly #gone = new Map<string, Gone>();
  /** Leases of other nodes that this one has closed because no renewal came. */
  lost = 0;
  #stopWatch = () => {};
  #cancelCheck = () => {};
  #isStopped = false;

  constructor(readonly parts: MembersParts) {}

  async start(): Promise<void> {
    const { stop } = await this.parts.store.watch(LEASES, (change) => this.#note(change));
    if (this.#isStopped) stop();
    else this.#stopWatch = stop;
    this.#checkLater();
  }

  stop(): void {
    this.#isStopped = true;
    this.#stopWatch();
    this.#cancelCheck();
  }

  [Symbol.iterator](): Iterator<LeaseRecord> {
    return [...this.#members.values()].map(({ record }) => record)[Symbol.iterator]();
  }

  /** The open leases, and when this node saw their last renewals. */
  get open(): Iterable<Member> {
    return this.#members.values();
  }

  /** Nodes whose leases were closed while this node watched, and that have not joined again. */
  get gone(): Iterable<Gone> {
    return this.#gone.values();
  }

  get size(): number {
    return this.#members.size;
  }

  has(life: NodeLife): boolean {
    return this.#members.has(leaseKey(life));
  }

  get(life: NodeLife): LeaseRecord | undefined {
    return this.#members.get(leaseKey(life))?.record;
  }

  #note({ key, value, revision }: Change): void {
    if (this.#isStopped || this.#over.has(key)) return;
    const before = this.#members.get(key);
    if (!value) this.#noteClosed(key);
    else if (!before || before.revision < revision) {
      const record = decodeLease(value);
      this.#members.set(key, { record, revision, seen: this.parts.clock.now() });
      this.#gone.delete(record.node);
    }
  }

  #noteClosed(key: string): void {
    const before = this.#members.get(key);
    this.#over.add(key);
    this.#members.delete(key);
    if (!before) return;
    this.#noteGone(before.record);
    this.parts.closed(before.record);
  }

  #noteGone(record: LeaseRecord): void {
    if ([...this].some(({ node }) => node === record.node)) return;
    this.#gone.set(record.node, { record, since: this.parts.clock.now() });
    if (this.#gone.size > MOST_GONE) this.#gone.delete(this.#gone.keys().next().value as string);
  }

  #checkLater(): void {
    if (this.#isStopped) return;
    const { clock, times } = this.parts;
    this.#cancelCheck = clock.after(times.ttl / CHECKS, () => {
      this.#check().finally(() => this.#checkLater());
    });
  }

  /** Closes each lease of which no renewal was seen for a ttl and the margin. */
  async #check(): Promise<void> {
    const { clock, times, mayClose } = this.parts;
    for (const [key, { revision, seen }] of this.#members) {
      if (clock.now() < seen + times.ttl + times.margin || !mayClose()) continue;
      // One that cannot be closed now is tried again by the next check.
      await this.#close(key, revision).catch(() => {});
    }
  }

  async #close(key: string, revision: number): Promise<void> {
    const { store } = this.parts;
    if (!(await closeLease(store, key, revision))) {
      // The watch is late: the lease was renewed, or closed by another node.
      const last = await store.get(key);
      if (last) return this.#note(last);
    } else this.lost++;
    this.#noteClosed(key);
  }
}
