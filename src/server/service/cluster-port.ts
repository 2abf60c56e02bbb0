import type { FastifyRequest } from 'fastify';
import type { ErrorBody } from '../../errors.js';
import type { EventJson } from '../../protocol/json/event-json.js';
import type { LineLevels } from '../../protocol/server-message.js';
import type { Durations } from '../../runtime/statistics/slot-totals.js';
import type { ForwardedClient } from '../security/forwarded.js';
import type { MachineHandle } from './machine-handle.js';

/** A node of the cluster, as far as this node has seen. */
export interface NodeDescription {
  readonly node: string;
  readonly incarnation: string;
  readonly address: string;
  /** `late`: no renewal of its lease for more than half of the time that it lasts. */
  readonly state: 'open' | 'late';
  /** ms until other nodes close its lease, unless it is renewed. */
  readonly leaseMs: number;
  readonly machines: number;
  /** Machines that it can take beyond its own. */
  readonly room: number;
  /** Part of its time that it is busy, 0 to 1. */
  readonly load: number;
  readonly draining: boolean;
}

/** A node whose lease was closed, and that has not joined again. */
export interface GoneNode {
  readonly node: string;
  readonly incarnation: string;
  readonly address: string;
  /** ms since then. */
  readonly goneMs: number;
}

/** Where machines are. Figures of machines that no node runs are of the steward, null if there is none at the moment. */
export interface PlacementFigures {
  readonly steward: string | null;
  readonly owned: number;
  readonly withoutOwner: number | null;
  readonly unstartable: number | null;
}

export type MigrationResult = 'moved' | 'refused' | 'failed';

/** A machine that goes, or went, to another node. */
export interface Migration {
  readonly machine: string;
  readonly from: string;
  readonly to: string;
  /** Date and time of day. */
  readonly startedAt: string;
  readonly result: MigrationResult | 'running';
  /** Code of the refusal. */
  readonly error?: string;
  /** Time in ms in which the machine took no requests. */
  readonly pauseMs?: number;
}

/** Migrations that this node began. */
export interface MigrationFigures {
  readonly running: Iterable<Migration>;
  readonly last: readonly Migration[];
  readonly counts: { readonly [Result in MigrationResult]: number };
  readonly pauses: Durations;
}

/** Counts and states of this node, for metrics. */
export interface ClusterFigures {
  /** ms for which this node may act without another renewal of its lease; 0 without a lease. */
  readonly leaseRemaining: number;
  readonly leasesLost: number;
  /** Whether a quorum of the store has acknowledged a renewal in the last half of the time that a lease lasts. */
  readonly isStoreUp: boolean;
  /** Nodes whose leases are open. */
  readonly nodes: number;
  /** Leases of other nodes that this one closed because no renewal came. */
  readonly nodesLost: number;
  readonly machines: number;
  /** Undefined, unless this node is the steward. */
  readonly withoutOwner: number | undefined;
  readonly unstartable: number | undefined;
  readonly claims: number;
  /** Events that wait for the stream, and those that found no room. */
  readonly eventsWaiting: number;
  readonly eventsMissed: number;
}

/** A machine that failed to start on several nodes, or on all. */
export interface UnstartableMachine {
  readonly machine: string;
  readonly error: ErrorBody['error'];
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
  /** URL under which clients and other nodes reach this node. */
  readonly address: string;
  /** Nodes whose leases are open, by name. */
  readonly nodes: readonly NodeDescription[];
  readonly gone: readonly GoneNode[];
  readonly placement: PlacementFigures;
  readonly migrations: MigrationFigures;
  readonly figures: ClusterFigures;
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
  /** Machines that no node can start, as far as the steward has found: the first of them, by name. */
  unstartable(): Promise<readonly UnstartableMachine[]>;
  /** Has a node, this one included, try again to start such a machine. Throws as `migrate`, or `machine-unstartable`. */
  startAgain(machine: string, node: string): Promise<void>;
  /** Deletes such a machine. Throws `unknown-machine`, or `machine-moved` if a node has it now. */
  deleteUnstartable(machine: string): Promise<void>;
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
