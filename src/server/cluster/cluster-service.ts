import { SouthbridgeError } from '../../errors.js';
import type {
  ClusterPort,
  ForwardedClient,
  NodeDescription,
  OtherNode,
  Owner,
  Place,
} from '../service/cluster-port.js';
import type { MachineHandle } from '../service/machine-handle.js';
import type { Checkpoints } from '../state/checkpoints.js';
import type { Directory } from './directory.js';
import type { ClusterNode } from './node.js';
import type { Passports } from './passports.js';
import { Placement } from './placement.js';
import { type LeaseRecord, leaseKey, type NodeLife } from './records.js';

/** Addresses of other nodes in a hello. */
const SHOWN = 4;

/** What routes and commands may ask of the cluster. */
export class ClusterService implements ClusterPort {
  /** Work that waits for a lease to be closed, by its key. */
  readonly #whenGone = new Map<string, Set<() => void>>();

  constructor(
    readonly parts: ClusterNode,
    readonly checkpoints: Checkpoints,
    readonly directory: Directory,
    readonly passports: Passports,
  ) {
    parts.closed.add((life) => this.#gone(life));
  }

  get node(): string {
    return this.parts.parts.node;
  }

  get nodes(): readonly NodeDescription[] {
    return [...this.parts.members]
      .map(({ node, address, room, draining }) => ({ node, address, room: room.machines, draining }))
      .sort((a, b) => (a.node < b.node ? -1 : 1));
  }

  get others(): readonly LeaseRecord[] {
    return [...this.parts.members].filter(({ node }) => node !== this.node).sort((a, b) => (a.node < b.node ? -1 : 1));
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
    this.passports.closed(life);
    const key = leaseKey(life);
    const waiting = this.#whenGone.get(key) ?? [];
    this.#whenGone.delete(key);
    for (const gone of waiting) gone();
  }

  // Moving machines

  async migrate(machine: MachineHandle, node: string): Promise<void> {
    const target = [...this.parts.members].find((lease) => lease.node === node);
    if (!target || node === this.node) throw new SouthbridgeError('unknown-node', { node, own: this.node });
    await this.#move(machine, target);
  }

  async #move(machine: MachineHandle, target: LeaseRecord): Promise<void> {
    await this.checkpoints.moveAway(machine, async () => {
      const owned = this.parts.get(machine.name);
      if (!owned) throw new SouthbridgeError('machine-moved', { machine: machine.name });
      if (!(await this.parts.release(owned, target)))
        throw new SouthbridgeError('migration-refused', { machine: machine.name, node: target.node });
    });
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
