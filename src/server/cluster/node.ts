import { type Clock, pause } from './clock.js';
import { failedStart } from './failed-starts.js';
import { Lease, type LeaseTimes } from './lease.js';
import { Members } from './members.js';
import { OwnedMachine, type OwnerStores } from './owned-machine.js';
import { decodeMachine, type LeaseRecord, leaseKey, type NodeLife, type Room, type Survey } from './records.js';
import { SettledStore } from './settled-write.js';
import { type Offer, Steward } from './steward.js';
import { type ClusterStore, Conflict, type Entry } from './store.js';

/** Claims in flight at a time. */
const AT_A_TIME = 16;
/** Between the loss of a lease and the next. */
const REJOIN_MS = 500;

/** What runs the machines that a node owns. */
export interface Host {
  readonly room: Room;
  /** Starts a machine from its checkpoint. If it rejects, another node gets the machine. */
  run(machine: OwnedMachine, checkpoint: Uint8Array): Promise<void>;
  /** Ends a machine at once, without a checkpoint: another node may own it. */
  stop(machine: string): void;
  /** Shows the threads of the machines the end of the lease; undefined: it is over. */
  lease?(until: number | undefined): void;
  /** Something that an operator has to know. */
  warn(message: string, error?: unknown): void;
}

export interface NodeParts {
  readonly node: string;
  readonly address: string;
  readonly records: ClusterStore;
  readonly checkpoints: ClusterStore;
  readonly clock: Clock;
  readonly times: LeaseTimes;
  /** ms between two searches for machines without an owner, besides those after the loss of a node. */
  readonly sweepMs: number;
  readonly offer: Offer;
  readonly host: Host;
  /** Names this life of the node. */
  readonly incarnation?: (() => string) | undefined;
}

/** A node of a cluster: its lease, the machines that it owns, and its view of the others. */
export class ClusterNode {
  readonly members: Members;
  /** Called with each life of a node whose lease was closed. */
  readonly closed = new Set<(life: NodeLife) => void>();
  readonly #steward: Steward;
  readonly #owned = new Map<string, OwnedMachine>();
  readonly #claiming = new Map<string, Promise<boolean>>();
  #lease: Lease | undefined;
  /** Leases that ran out or were closed by other nodes. */
  leasesLost = 0;
  /** Machines without an owner that this node has claimed. */
  claims = 0;
  #isClosing = false;
  #draining = false;

  constructor(readonly parts: NodeParts) {
    const { records, checkpoints, clock, times, offer } = parts;
    this.members = new Members({
      store: records,
      clock,
      times,
      mayClose: () => this.isHeld,
      closed: (life) => {
        for (const listener of this.closed) listener(life);
        this.#sweep();
      },
    });
    const { members } = this;
    const isSteward = () => this.#isSteward();
    this.#steward = new Steward({ records, checkpoints, clock, members, offer, isSteward });
  }

  /** Whether this node may act for its machines. */
  get isHeld(): boolean {
    return this.#lease?.isHeld ?? false;
  }

  /** ms for which this node may act without another renewal. */
  get leaseRemaining(): number {
    return this.#lease?.remaining ?? 0;
  }

  /** How many machines this node owns. */
  get machines(): number {
    return this.#owned.size;
  }

  /** What this node found as the steward; undefined if another one is. */
  get survey(): Survey | undefined {
    return this.#isSteward() ? this.#steward.survey : undefined;
  }

  get life(): NodeLife | undefined {
    return this.#lease?.life;
  }

  get(machine: string): OwnedMachine | undefined {
    return this.#owned.get(machine);
  }

  /** Resolves when the lease is open. */
  async start(): Promise<void> {
    await this.members.start();
    await this.#join();
    this.#sweepLater();
  }

  async #join(): Promise<void> {
    const { records: store, clock, times, node, address, host, incarnation } = this.parts;
    const state = () => ({
      draining: this.#draining,
      room: host.room,
      machines: this.#owned.size,
      survey: this.survey,
    });
    const lost = () => this.#lost();
    const shown = (until: number | undefined) => host.lease?.(until);
    const isWanted = () => !this.#isClosing;
    const parts = { store, clock, times, node, address, incarnation, state, isWanted, shown, lost };
    this.#lease = await Lease.open(parts);
    this.#sweep();
  }

  /** The lease has run out: every machine ends here, before another node may have claimed it. */
  #lost(): void {
    for (const machine of [...this.#owned.keys()]) this.#stop(machine);
    this.leasesLost++;
    if (this.#isClosing) return;
    this.parts.host.warn(`node ${this.parts.node} has lost its lease, and has ended its machines`);
    pause(this.parts.clock, REJOIN_MS)
      .then(() => (this.#isClosing ? undefined : this.#join()))
      .catch((error) => this.parts.host.warn(`node ${this.parts.node} cannot join the cluster again`, error));
  }

  #stop(machine: string): void {
    if (this.#owned.delete(machine)) this.parts.host.stop(machine);
  }

  /** Ends a machine that another node has claimed. */
  disown(machine: OwnedMachine): void {
    if (this.#owned.get(machine.name) === machine) this.#stop(machine.name);
  }

  /** The stores for a machine of this life of the node: what is not settled when its lease ends is given up. */
  #stores(lease: Lease): OwnerStores {
    const { records, checkpoints, clock } = this.parts;
    const goesOn = () => lease.isHeld;
    return {
      records: new SettledStore(records, clock, goesOn),
      checkpoints: new SettledStore(checkpoints, clock, goesOn),
    };
  }

  /** Claims a name for a new machine. Throws `Conflict` if it is taken, or `Unsettled`. */
  async create(machine: string): Promise<OwnedMachine> {
    const lease = this.#requireLease();
    const owned = await OwnedMachine.create(this.#stores(lease), machine, lease.life);
    this.#owned.set(machine, owned);
    return owned;
  }

  #requireLease(): Lease {
    if (!this.#lease?.isHeld) throw new Error('this node has no lease');
    return this.#lease;
  }

  /** Claims a machine that no node runs, and does not start it. Throws `Conflict` or `Unsettled`. */
  take(entry: Entry): Promise<OwnedMachine> {
    const lease = this.#requireLease();
    return OwnedMachine.claim(this.#stores(lease), entry, lease.life);
  }

  /** Another node offers machines; resolves to the number of those that this node has then. */
  async offered(entries: readonly Entry[]): Promise<number> {
    let owned = 0;
    const left = [...entries];
    const worker = async () => {
      for (let entry = left.shift(); entry; entry = left.shift()) if (await this.#claim(entry)) owned++;
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, worker));
    return owned;
  }

  /** Offers may come twice. */
  #claim(entry: Entry): Promise<boolean> {
    const { machine } = decodeMachine(entry.value);
    if (this.#owned.has(machine)) return Promise.resolve(true);
    const claim = this.#claiming.get(machine) ?? this.#claimNew(entry).finally(() => this.#claiming.delete(machine));
    this.#claiming.set(machine, claim);
    return claim;
  }

  /** Claims a machine, then reads its checkpoint and starts it. False if another node was first. */
  async #claimNew(entry: Entry): Promise<boolean> {
    const lease = this.#lease;
    if (!lease?.isHeld || this.#draining || this.#isClosing) return false;
    let owned: OwnedMachine | undefined;
    try {
      owned = await OwnedMachine.claim(this.#stores(lease), entry, lease.life);
      this.claims++;
      const checkpoint = await owned.read();
      if (!lease.isHeld) return false;
      if (checkpoint) {
        this.#owned.set(owned.name, owned);
        await this.parts.host.run(owned, checkpoint);
      } else await owned.delete();
      return true;
    } catch (error) {
      // Another node was first, or the lease is lost: its machines are offered again.
      if (!owned || !lease.isHeld) return false;
      this.parts.host.warn(`machine ${owned.name} cannot be started`, error);
      this.disown(owned);
      // Nobody saw a state of this owner.
      await owned.release(owned.isOrderly, failedStart(lease.life, error)).catch(() => {});
      return false;
    }
  }

  // Machines without an owner

  /** The node with the first lease, by its key: one of those that are alive. */
  #isSteward(): boolean {
    if (!this.#lease?.isHeld) return false;
    const own = this.#lease.key;
    return [...this.members].every((record) => leaseKey(record) >= own);
  }

  #sweep(): void {
    if (this.#isSteward()) void this.#steward.sweep();
  }

  #sweepLater(): void {
    this.parts.clock.after(this.parts.sweepMs, () => {
      if (this.#isClosing) return;
      this.#sweep();
      if (this.#isSteward()) this.#steward.collect().catch(() => {});
      this.#sweepLater();
    });
  }

  // Leaving

  /** Accepts no machines from now on. */
  drain(): void {
    this.#draining = true;
  }

  /**
   * Releases a machine after its last checkpoint, and offers it to `to`; without `to`, the steward finds a node. False if `to`
   * does not claim the machine, which then stays here. Throws `Conflict` or `Unsettled` if this node no longer owns it.
   */
  async release(machine: OwnedMachine, to?: LeaseRecord): Promise<boolean> {
    const { life } = this;
    try {
      const entry = await machine.release();
      if (to && life && (await this.parts.offer(to, [entry]).catch(() => 0)) === 0) {
        await machine.reclaim(life);
        return false;
      }
    } catch (error) {
      if (!(error instanceof Conflict) || !to) {
        this.disown(machine);
        throw error;
      }
    }
    this.forget(machine);
    return true;
  }

  /** Releases all machines after their last checkpoints: other nodes claim them once the lease is closed. */
  async releaseAll(): Promise<void> {
    this.#draining = true;
    await Promise.all([...this.#owned.values()].map((machine) => this.release(machine)));
  }

  /** Forgets a machine that was deleted. */
  forget(machine: OwnedMachine): void {
    if (this.#owned.get(machine.name) === machine) this.#owned.delete(machine.name);
  }

  /** The lease ends in order; machines that were not released are claimed by other nodes. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.members.stop();
    await this.#lease?.close();
  }
}
