import type { EventJson } from '../../protocol/json/event-json.js';
import type { LineLevels } from '../../protocol/server-message.js';
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

/** The cluster that this server is a node of: `src/server/cluster`. */
export interface ClusterPort {
  readonly node: string;
  /** Nodes whose leases are open, by name. */
  readonly nodes: readonly NodeDescription[];
  /**
   * Moves a running machine to another node, with its sessions and in the same epoch. Throws `unknown-node`, `migration-refused`
   * if that node does not take it, or as `CheckpointStore.made`; the machine stays then.
   */
  migrate(machine: MachineHandle, node: string): Promise<void>;
  /** Throws `unknown-machine` if no node has it. */
  requireMachine(machine: string): Promise<void>;
  /** The events of a machine after a position, or new ones, until it is deleted or `signal` aborts. */
  events(machine: string, after: EventPosition | undefined, signal: AbortSignal): AsyncIterable<ClusterEvent>;
  /** Takes no machines from now on, and moves all of its own to the nodes with the most room; returns how many stayed. */
  drain(): Promise<number>;
}
