import type { Host, ClusterNode as Node, NodeParts } from '../../../../src/server/cluster/node.js';
import type { OwnedMachine } from '../../../../src/server/cluster/owned-machine.js';
import { decodeMachine, MACHINES, type Room } from '../../../../src/server/cluster/records.js';
import { type Change, Conflict, type Entry } from '../../../../src/server/cluster/store.js';
import { exchange, type Network, SimulatedStore, StoredKeys } from './store.js';
import { Process, type World } from './world.js';

/** The production code of a node, or a copy with a seeded bug. */
export type NodeClass = new (parts: NodeParts) => Node;

export interface ClusterOptions {
  readonly nodes: number;
  readonly machines: number;
  readonly times: NodeParts['times'];
  readonly network: Network;
  /** Clocks run at 1 ± so much. */
  readonly drift: number;
  /** Whether leases have to keep nodes from sending frames of machines that others have claimed. */
  readonly checksFrames: boolean;
  /** ms between two actions of a node: a frame and a checkpoint of one of its machines. */
  readonly actionMs: number;
}

/** What a machine has come to: every checkpoint has a greater count than those before. */
interface State {
  readonly machine: string;
  count: number;
}

interface RunningMachine {
  readonly owned: OwnedMachine;
  readonly state: State;
  isBusy: boolean;
  isLeaving: boolean;
}

/** No node can start the machine. */
class DamagedState extends Error {
  readonly code = 'damaged';
}

/** Part of the checkpoints after which the machine moves to another node. */
const MIGRATIONS = 0.02;

/** One process of a node, with machines that send frames and write checkpoints. */
class SimulatedNode implements Host {
  readonly running = new Map<string, RunningMachine>();
  readonly node: Node;

  constructor(
    readonly cluster: SimulatedCluster,
    readonly name: string,
    readonly process: Process,
    incarnation: string,
  ) {
    const { world, options, records, checkpoints } = cluster;
    const store = (keys: StoredKeys) => new SimulatedStore(world, process, options.network, keys);
    let lives = 0;
    this.node = new cluster.Node({
      node: name,
      address: name,
      records: store(records),
      checkpoints: store(checkpoints),
      clock: process,
      times: options.times,
      sweepMs: 5 * options.times.ttl,
      offer: ({ node }, entries) => cluster.offer(process, node, entries),
      host: this,
      incarnation: () => `${incarnation}-${lives++}`,
    });
    this.node.start().catch((error) => cluster.violation(`${name} cannot start: ${error}`));
    this.#actLater();
  }

  get room(): Room {
    const { machines, nodes } = this.cluster.options;
    return { machines: Math.ceil((4 * machines) / nodes) - this.running.size, load: 0 };
  }

  async run(owned: OwnedMachine, checkpoint: Uint8Array): Promise<void> {
    const state: State = JSON.parse(new TextDecoder().decode(checkpoint));
    if (this.cluster.damaged.has(owned.name)) {
      this.cluster.failedStarts.push({ machine: owned.name, node: this.name });
      throw new DamagedState(owned.name);
    }
    const acknowledged = this.cluster.acknowledgedBefore(owned);
    if (state.machine !== owned.name) this.cluster.violation(`${owned.name} got the state of ${state.machine}`);
    if (state.count < acknowledged)
      this.cluster.violation(`${owned.name} was restored at ${state.count}, but ${acknowledged} was acknowledged`);
    this.running.set(owned.name, { owned, state, isBusy: false, isLeaving: false });
  }

  stop(machine: string): void {
    this.running.delete(machine);
  }

  warn(message: string, error?: unknown): void {
    if (error instanceof DamagedState) return;
    if (/cannot be started/.test(message)) this.cluster.violation(`${message}: ${error}`);
  }

  #actLater(): void {
    const { world, options } = this.cluster;
    this.process.after(world.between(0, 2 * options.actionMs), () => {
      this.#actLater();
      const machine = world.pick([...this.running.values()]);
      // As the gateway before each send.
      if (!machine || !this.node.isHeld) return;
      const { owned, state } = machine;
      if (machine.isLeaving) return;
      state.count++;
      this.cluster.frame(this.name, owned);
      if (machine.isBusy) return;
      machine.isBusy = true;
      machine.isLeaving = world.chance(MIGRATIONS);
      const { count } = state;
      const { fence } = owned;
      owned
        .commit(encodeState(state))
        .then(() => this.cluster.acknowledge(owned.name, fence, count))
        .then(() => (machine.isLeaving ? this.#migrate(owned) : undefined))
        .catch((error) => error instanceof Conflict && this.node.disown(owned))
        .finally(() => {
          machine.isBusy = false;
          machine.isLeaving = false;
        });
    });
  }

  /** Moves a machine, which is quiet now, to any node. */
  async #migrate(owned: OwnedMachine): Promise<void> {
    const target = this.cluster.world.pick([...this.node.members].filter(({ node }) => node !== this.name));
    if (target && (await this.node.release(owned, target))) this.running.delete(owned.name);
  }

  /** As a request to make a machine. */
  async create(machine: string): Promise<void> {
    const owned = await this.node.create(machine);
    const state = { machine, count: 1 };
    await owned.commit(encodeState(state));
    if (!this.node.isHeld) return;
    this.running.set(machine, { owned, state, isBusy: false, isLeaving: false });
    this.cluster.acknowledge(machine, owned.fence, 1);
  }
}

function encodeState(state: State): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(state));
}

/** Nodes, the store that they share, and what must hold of them at every moment. */
export class SimulatedCluster {
  readonly violations: string[] = [];
  readonly records = new StoredKeys((change) => this.#check(change));
  readonly checkpoints = new StoredKeys(() => {});
  readonly nodes = new Map<string, SimulatedNode>();
  /** Of each machine, by fence: the count of the last checkpoint that this owner knows to be written. */
  readonly acknowledged = new Map<string, Map<number, number>>();
  /** Of each machine: the greatest fence in the store. */
  readonly #fences = new Map<string, number>();
  /** Machines whose checkpoints no node can use, and each try to start one. */
  readonly damaged = new Set<string>();
  readonly failedStarts: { readonly machine: string; readonly node: string }[] = [];
  claims = 0;
  frames = 0;
  #lives = 0;

  constructor(
    readonly world: World,
    readonly options: ClusterOptions,
    readonly Node: NodeClass,
  ) {}

  start(name: string): SimulatedNode {
    const { drift } = this.options;
    const process = new Process(this.world, this.world.between(1 - drift, 1 + drift));
    const node = new SimulatedNode(this, name, process, `${++this.#lives}`);
    this.nodes.set(name, node);
    return node;
  }

  kill(name: string): void {
    const node = this.nodes.get(name);
    if (node) node.process.hasEnded = true;
    this.nodes.delete(name);
  }

  offer(from: Process, to: string, entries: readonly Entry[]): Promise<number> {
    const { world, options } = this;
    const target = this.nodes.get(to);
    const work = () => (target ? target.node.offered(entries) : new Promise<number>(() => {}));
    return exchange(world, from, options.network, target?.process, work);
  }

  violation(text: string): void {
    this.violations.push(`${Math.round(this.world.now)} ms: ${text}`);
  }

  acknowledge(machine: string, fence: number, count: number): void {
    const counts = this.acknowledged.get(machine) ?? new Map<number, number>();
    this.acknowledged.set(machine, counts.set(fence, Math.max(count, counts.get(fence) ?? 0)));
  }

  /** What earlier owners know to be written: a later one may have claimed the machine meanwhile. */
  acknowledgedBefore({ name, fence }: OwnedMachine): number {
    const counts = [...(this.acknowledged.get(name) ?? [])];
    return Math.max(0, ...counts.filter(([earlier]) => earlier < fence).map(([, count]) => count));
  }

  /** A node sends a frame of a machine to a client. */
  frame(node: string, { name, fence }: OwnedMachine): void {
    this.frames++;
    const newest = this.#fences.get(name) ?? 0;
    if (fence < newest && this.options.checksFrames)
      this.violation(`${node} sent a frame of ${name} with fence ${fence} after the claim ${newest}`);
  }

  /** Every record that is stored. */
  #check({ key, value, revision }: Change): void {
    if (!key.startsWith(MACHINES) || !value) return;
    const { machine, fence: written, owner } = decodeMachine(value);
    const fence = written || revision;
    const newest = this.#fences.get(machine) ?? 0;
    if (fence < newest) this.violation(`a record of ${machine} with fence ${fence} follows one with ${newest}`);
    if (fence > newest && owner) this.claims++;
    this.#fences.set(machine, Math.max(fence, newest));
  }

  /** Machines of which a checkpoint was acknowledged, and that no live node runs under the fence that the store has. */
  get withoutOwner(): string[] {
    const running = new Map<string, number>();
    for (const { running: machines, node } of this.nodes.values())
      if (node.isHeld) for (const [name, { owned }] of machines) running.set(name, owned.fence);
    return [...this.acknowledged.keys()].filter((machine) => running.get(machine) !== this.#fences.get(machine));
  }
}
