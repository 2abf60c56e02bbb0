import type { MachineHandle } from './machine-handle.js';

/** A node of the cluster, as far as this node has seen. */
export interface NodeDescription {
  readonly node: string;
  readonly address: string;
  /** Machines that it can take beyond its own. */
  readonly room: number;
  readonly draining: boolean;
}

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
  /** Takes no machines from now on, and moves all of its own to the nodes with the most room; returns how many stayed. */
  drain(): Promise<number>;
}
