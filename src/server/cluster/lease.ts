import { randomBytes } from 'node:crypto';
import type { Clock } from './clock.js';
import { encode, type LeaseRecord, leaseKey, type NodeLife } from './records.js';
import { SettledStore } from './settled-write.js';
import { type ClusterStore, Conflict } from './store.js';

/** Times of leases, in ms. */
export interface LeaseTimes {
  /** A node may act for so long from when it sent the last renewal that was acknowledged. */
  readonly ttl: number;
  /** Others wait for so much longer, by their own clocks, which may be slower or faster. */
  readonly margin: number;
}

/** Renewals in a ttl: some may be lost. */
const RENEWALS = 4;

export interface LeaseParts {
  readonly store: ClusterStore;
  readonly clock: Clock;
  readonly times: LeaseTimes;
  readonly node: string;
  readonly address: string;
  /** Names each life of the node; at random if not given. */
  readonly incarnation?: (() => string) | undefined;
  /** As they are at each renewal. */
  readonly state: () => Pick<LeaseRecord, 'draining' | 'room' | 'machines' | 'survey'>;
  /** Whether to go on trying to open it. */
  readonly isWanted: () => boolean;
  /** Called with the end of the lease at each renewal, and with undefined when it is over: threads obey it. */
  readonly shown?: ((until: number | undefined) => void) | undefined;
  /** Called once, when the lease has run out or was closed by another node. */
  readonly lost: () => void;
}

/**
 * The lease of this node's incarnation: while it holds, no other node closes it. It counts from before the first try of a
 * renewal was sent: other nodes see that renewal later, and count from there.
 */
export class Lease {
  readonly life: NodeLife;
  readonly key: string;
  #revision = 0;
  #count = 0;
  #until = Number.NEGATIVE_INFINITY;
  #isOpen = false;
  #isOver = false;
  readonly #store: SettledStore;
  #cancelEnd = () => {};
  #cancelRenewal = () => {};

  private constructor(
    readonly parts: LeaseParts,
    incarnation: string,
  ) {
    this.life = { node: parts.node, incarnation };
    this.key = leaseKey(this.life);
    // Before the lease is open there is nothing that could run out.
    const goesOn = () => (this.#isOpen ? this.isHeld : parts.isWanted());
    this.#store = new SettledStore(parts.store, parts.clock, goesOn);
  }

  /** Resolves when a lease is open; it is then renewed until it is closed or lost. Throws `Unsettled` if it is not wanted. */
  static async open(parts: LeaseParts): Promise<Lease> {
    for (;;) {
      const lease = new Lease(parts, parts.incarnation?.() ?? randomBytes(9).toString('base64url'));
      try {
        while (!lease.isHeld) await lease.#write();
        lease.#isOpen = true;
        lease.#renewLater();
        return lease;
      } catch (error) {
        // It was so late that another node has closed it.
        if (!(error instanceof Conflict)) throw error;
      }
    }
  }

  /** Whether this node may act: execute, send and write. To be asked right before each. */
  get isHeld(): boolean {
    return !this.#isOver && this.parts.clock.now() < this.#until;
  }

  /** ms for which it holds without another renewal; 0 if it does not. */
  get remaining(): number {
    return this.#isOver ? 0 : Math.max(0, this.#until - this.parts.clock.now());
  }

  /** Writes the next record. */
  async #write(): Promise<void> {
    const { clock, times, address, state } = this.parts;
    const sent = clock.now();
    const record: LeaseRecord = { ...this.life, count: ++this.#count, address, ...state() };
    this.#revision = await this.#store.write(this.key, encode(record), this.#revision);
    if (this.#isOver) return;
    // Something may have been refused or left out since it ran out.
    if (this.#isOpen && !this.isHeld) {
      this.#end();
      return;
    }
    this.#until = sent + times.ttl;
    this.parts.shown?.(this.#until);
    this.#cancelEnd();
    this.#cancelEnd = clock.after(Math.max(0, this.#until - clock.now()), () => this.#end());
  }

  #renewLater(): void {
    const { clock, times } = this.parts;
    this.#cancelRenewal = clock.after(times.ttl / RENEWALS, () => {
      this.#write().then(
        () => !this.#isOver && this.#renewLater(),
        () => this.#end(),
      );
    });
  }

  /** It has run out, or another node has closed it. */
  #end(): void {
    if (this.#isOver || !this.#isOpen) return;
    this.#stop();
    this.parts.lost();
  }

  #stop(): void {
    this.#isOver = true;
    this.parts.shown?.(undefined);
    this.#cancelEnd();
    this.#cancelRenewal();
  }

  /** Ends the lease in order: other nodes need not wait for it to run out. */
  async close(): Promise<void> {
    if (this.#isOver) return;
    this.#stop();
    await closeLease(this.parts.store, this.key, this.#revision);
  }
}

/** Closes a lease of this revision, so that a renewal which comes later fails. False if another write was first. */
export async function closeLease(store: ClusterStore, key: string, revision: number): Promise<boolean> {
  try {
    await store.delete(key, revision);
    return true;
  } catch (error) {
    if (error instanceof Conflict) return false;
    throw error;
  }
}
