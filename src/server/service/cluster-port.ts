import type { FastifyRequest } from 'fastify';
import type { EventJson } from '../../protocol/json/event-json.js';
import type { LineLevels } from '../../protocol/server-message.js';
import type { ShownToken } from '../security/token-file.js';
import type { MachineHandle } from './machine-handle.js';

/** A node of the cluster, as far as this node has seen. */
export interface NodeDescription {
  readonly node: string;
  readonly address: string;
  /** Machines that it can take beyond its own. */
  readonly room: number;
  readonly draining: boolean;
}

/** Where a reader of events goes on: the last event that it has. Without an epoch, it is of the newest one. */
export interface EventPosition {
  readonly epoch: string | undefined;
  readonly sequence: number;
}

/** What a reader of a machine's events gets, wherever the machine is. */
export type ClusterEvent =
  | { readonly type: 'hello'; readonly epoch: string; readonly sequence: number; readonly lines: LineLevels }
  | {
      readonly type: 'gap';
      readonly epoch: string;
      readonly from: number;
      readonly to: number;
      readonly lines: LineLevels;
    }
  | { readonly type: 'irq'; readonly epoch: string; readonly sequence: number; readonly event: EventJson };

/** A life of another node. */
export interface OtherNode {
  readonly node: string;
  readonly incarnation: string;
  readonly address: string;
}

/** The one that has a machine. */
export interface Owner extends OtherNode {
  /** Greater than that of every owner before. */
  readonly fence: number;
}

/** Of a machine: its fence, and addresses of other nodes, under which clients reach it if this one fails. */
export interface Place {
  readonly fence: number;
  readonly nodes: readonly string[];
}

/** For whom a node forwards a request: it has verified the token. */
export interface ForwardedClient {
  readonly address: string | undefined;
  /** Undefined if the client showed none, because that node wants none. */
  readonly token?: ShownToken | undefined;
  /** It came through the node's Unix socket without a token, and may do everything. */
  readonly isLocal: boolean;
}

/** A request of one node to another, on behalf of a client. */
export interface NodeCall {
  readonly method: string;
  readonly url: string;
  readonly body?: unknown;
}

export interface NodeAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Sends requests to other nodes: `src/server/routing`. */
export interface RoutingPort {
  /** Asks another node on behalf of the client of a request. Throws `lease-lost` or `node-unreachable`. */
  ask(to: OtherNode, call: NodeCall, request: FastifyRequest): Promise<NodeAnswer>;
}

/** The cluster that this server is a node of: `src/server/cluster`. */
export interface ClusterPort {
  readonly node: string;
  /** Nodes whose leases are open, by name. */
  readonly nodes: readonly NodeDescription[];
  /** The same nodes without this one. */
  readonly others: readonly OtherNode[];
  /**
   * The node that has a machine, which this one has not; `isFresh`: as the store has it now. Throws `unknown-machine` or
   * `owner-unknown`.
   */
  ownerOf(machine: string, isFresh: boolean): Promise<Owner>;
  /** What a hello says of a machine of this node. */
  placeOf(machine: string): Place;
  /** Proof for another node that this one forwards a request. Throws `lease-lost`. */
  issue(to: OtherNode, method: string, url: string, client: ForwardedClient): string;
  /** Reads such a proof. Throws `forwarding-refused` or `forwarding-stale`. */
  verify(proof: string, method: string, url: string): ForwardedClient;
  /** Calls `gone` when the lease of a life of a node is closed. Returns what cancels that. */
  whenGone(life: Pick<OtherNode, 'node' | 'incarnation'>, gone: () => void): () => void;
  /**
   * Moves a running machine to another node, with its sessions and in the same epoch. Throws `unknown-node`, `migration-refused`
   * if that node does not take it, or as `CheckpointStore.made`; the machine stays then.
   */
  migrate(machine: MachineHandle, node: string): Promise<void>;
  /** Throws `unknown-machine` if no node has it. */
  requireMachine(machine: string): Promise<void>;
  /** The events of a machine after a position, or new ones, until it is deleted or `signal` aborts. */
  events(machine: string, after: EventPosition | undefined, signal: AbortSignal): AsyncIterable<ClusterEvent>;
  /** Part of its time that this node is busy, 0 to 1, for placement. */
  load: () => number;
  /**
   * The node for a new machine: one of this name, or that with the most room which has not refused it; undefined if it is this
   * one. Throws `unknown-node`, or `no-room`.
   */
  nodeForNew(node?: string, refused?: ReadonlySet<string>): OtherNode | undefined;
  /** Takes no machines from now on, and moves all of its own to the nodes with the most room; returns how many stayed. */
  drain(): Promise<number>;
}
