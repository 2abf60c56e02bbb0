import { SouthbridgeError } from '../../errors.js';
import type { ForwardedClient } from '../security/forwarded.js';
import type {
  ClusterEvent,
  ClusterFigures,
  ClusterPort,
  EventPosition,
  GoneNode,
  NodeDescription,
  OtherNode,
  Owner,
  Place,
  PlacementFigures,
  UnstartableMachine,
} from '../service/cluster-port.js';
import type { MachineHandle } from '../service/machine-handle.js';
import type { Checkpoints } from '../state/checkpoints.js';
import type { Directory } from './directory.js';
import type { EventPublishers } from './events/event-publishers.js';
import { readEvents } from './events/event-reader.js';
import { byName, describeGone, describeNodes, describePlacement, figuresOf } from './figures.js';
import { Migrations } from './migrations.js';
import type { ClusterNode } from './node.js';
import type { Passports } from './passports.js';
import { Placement } from './placement.js';
import { type LeaseRecord, leaseKey, machineKey, type NodeLife } from './records.js';
import { Unstartable } from './unstartable.js';

/** Addresses of other nodes in a hello. */
const SHOWN = 4;

/** What routes and commands may ask of the cluster. */
export class ClusterService implements ClusterPort {
  /** Machines that this node has placed since the renewal `count` of a lease, by its key. */
  readonly #placed = new Map<string, { readonly count: number; readonly machines: number }>();
  /** Work that waits for a lease to be closed, by its key. */
  readonly #whenGone = new Map<string, Set<() => void>>();

  readonly migrations: Migrations;
  readonly #unstartable: Unstartable;

  constructor(
    readonly parts: ClusterNode,
    readonly checkpoints: Checkpoints,
    readonly publishers: EventPublishers,
    readonly directory: Directory,
    readonly passports: Passports,
  ) {
    parts.closed.add((life) => this.#gone(life));
    this.migrations = new Migrations(this.node);
    this.#unstartable = new Unstartable(parts, publishers);
  }

  get node(): string {
    return this.parts.parts.node;
  }

  get address(): string {
    return this.parts.parts.address;
  }

  get nodes(): readonly NodeDescription[] {
    return describeNodes(this.parts);
  }

  get gone(): readonly GoneNode[] {
    return describeGone(this.parts);
  }

  get placement(): PlacementFigures {
    return describePlacement(this.parts);
  }

  get figures(): ClusterFigures {
    return figuresOf(this.parts, this.publishers);
  }

  get others(): readonly LeaseRecord[] {
    return [...this.parts.members].filter(({ node }) => node !== this.node).sort(byName);
  }

  // Routing

  ownerOf(machine: string, isFresh: boolean): Promise<Owner> {
    return this.directory.ownerOf(machine, isFresh);
  }

  /** The nodes that follow this one by name: not the same ones for all clients. */
  placeOf(machine: string): Place {
    const { others, node } = this;
    const behind = others.filter((other) => other.node > node);
    const nodes = [...behind, ...others.slice(0, others.length - behind.length)].map(({ address }) => address);
    return { fence: this.parts.get(machine)?.fence ?? 0, nodes: nodes.slice(0, SHOWN) };
  }

  issue(to: OtherNode, method: string, url: string, client: ForwardedClient): string {
    return this.passports.issue(to, method, url, client);
  }

  verify(proof: string, method: string, url: string): ForwardedClient {
    return this.passports.verify(proof, method, url);
  }

  whenGone(life: NodeLife, gone: () => void): () => void {
    const key = leaseKey(life);
    const waiting = this.#whenGone.get(key) ?? new Set();
    this.#whenGone.set(key, waiting.add(gone));
    return () => {
      waiting.delete(gone);
      if (waiting.size === 0 && this.#whenGone.get(key) === waiting) this.#whenGone.delete(key);
    };
  }

  #gone(life: NodeLife): void {
    this.#placed.delete(leaseKey(life));
    this.passports.closed(life);
    const key = leaseKey(life);
    const waiting = this.#whenGone.get(key) ?? [];
    this.#whenGone.delete(key);
    for (const gone of waiting) gone();
  }

  // Placement

  load = () => 0;

  /** Shows the threads the end of the lease, in ms of a `BootClock`. */
  lease: (until: number | undefined) => void = () => {};

  nodeForNew(name?: string, refused: ReadonlySet<string> = new Set()): OtherNode | undefined {
    const { members } = this.parts;
    if (name !== undefined) {
      const named = [...members].find(({ node }) => node === name);
      if (!named && name !== this.node) throw new SouthbridgeError('unknown-node', { node: name, own: this.node });
      return name === this.node ? undefined : named;
    }
    const willing = [...members].filter(({ node }) => !refused.has(node));
    const target = new Placement(willing.map((lease) => this.#asPlaced(lease))).next();
    if (!target) throw new SouthbridgeError('no-room');
    const { count, key } = { count: target.count, key: leaseKey(target) };
    const before = this.#placed.get(key);
    this.#placed.set(key, { count, machines: before?.count === count ? before.machines + 1 : 1 });
    return target.node === this.node ? undefined : target;
  }

  /** A lease does not count the machines that were placed since it was renewed. */
  #asPlaced(lease: LeaseRecord): LeaseRecord {
    const placed = this.#placed.get(leaseKey(lease));
    if (placed?.count !== lease.count) return lease;
    const { machines, load } = lease.room;
    return { ...lease, room: { machines: machines - placed.machines, load } };
  }

  // Moving machines

  async migrate(machine: MachineHandle, node: string): Promise<void> {
    const target = [...this.parts.members].find((lease) => lease.node === node);
    if (!target || node === this.node) throw new SouthbridgeError('unknown-node', { node, own: this.node });
    await this.#move(machine, target);
  }

  async #move(machine: MachineHandle, target: LeaseRecord): Promise<void> {
    const { name } = machine;
    const { node } = target;
    const release = async () => {
      const owned = this.parts.get(name);
      if (!owned) throw new SouthbridgeError('machine-moved', { machine: name });
      await this.publishers.flush(name);
      if (!(await this.parts.release(owned, target)))
        throw new SouthbridgeError('migration-refused', { machine: name, node });
    };
    await this.migrations.run(name, node, () => this.checkpoints.moveAway(machine, release));
  }

  unstartable(): Promise<readonly UnstartableMachine[]> {
    return this.#unstartable.list();
  }

  startAgain(machine: string, node: string): Promise<void> {
    return this.#unstartable.startAgain(machine, node);
  }

  deleteUnstartable(machine: string): Promise<void> {
    return this.#unstartable.delete(machine);
  }

  async requireMachine(machine: string): Promise<void> {
    const record = await this.parts.parts.records.get(machineKey(machine)).catch((error) => {
      throw new SouthbridgeError('cluster-not-answering', { reason: String((error as Error).message) });
    });
    if (!record) throw new SouthbridgeError('unknown-machine', { machine });
  }

  events(machine: string, after: EventPosition | undefined, signal: AbortSignal): AsyncIterable<ClusterEvent> {
    return readEvents(this.publishers.log, machine, after, signal);
  }

  async drain(): Promise<number> {
    this.parts.drain();
    const others = [...this.parts.members].filter(({ node }) => node !== this.node);
    const placement = new Placement(others);
    for (const machine of [...this.checkpoints.machines]) {
      const target = placement.next();
      if (target && machine.isOpen)
        await this.#move(machine, target).catch((error) =>
          this.parts.parts.host.warn(`machine ${machine.name} stays`, error),
        );
    }
    return [...this.checkpoints.machines].length;
  }
}
