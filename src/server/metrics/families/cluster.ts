import type { ClusterFigures, ClusterPort } from '../../service/cluster-port.js';
import type { Family, Sample } from '../family.js';
import type { Labels } from '../figures.js';

const NODE = ['node'] as const;

/** Samples of a node of a cluster; none if the server is alone. */
function clustered(
  description: Pick<Family, 'name' | 'type' | 'help'>,
  samples: (cluster: ClusterPort, node: Labels) => Iterable<Sample>,
  labels: readonly string[] = NODE,
): Family {
  return {
    ...description,
    labels,
    *samples({ service: { cluster } }) {
      if (cluster) yield* samples(cluster, { node: cluster.node });
    },
  };
}

/** One value per node; no sample if it is undefined. */
function figure(
  name: string,
  type: 'counter' | 'gauge',
  help: string,
  value: (figures: ClusterFigures) => number | undefined,
): Family {
  return clustered({ name: `southbridge_cluster_${name}`, type, help }, function* ({ figures }, labels) {
    const now = value(figures);
    if (now !== undefined) yield { labels, value: now };
  });
}

/** A node of a cluster: its lease, its machines, and what it sees of the others. */
export const CLUSTER: readonly Family[] = [
  clustered(
    {
      name: 'southbridge_cluster_node_info',
      type: 'gauge',
      help: 'Always 1 for a node of a cluster; join it by `instance` to give other metrics the name of the node.',
    },
    function* ({ node, address }) {
      yield { labels: { node, address }, value: 1 };
    },
    ['node', 'address'],
  ),
  figure(
    'lease_remaining_seconds',
    'gauge',
    'Time for which the node may act without another renewal of its lease; 0 without a lease.',
    ({ leaseRemaining }) => leaseRemaining / 1e3,
  ),
  figure(
    'leases_lost_total',
    'counter',
    'Leases of the node that ran out or that other nodes closed. The node ended its machines each time.',
    ({ leasesLost }) => leasesLost,
  ),
  figure(
    'store_up',
    'gauge',
    '1 if a quorum of NATS servers has acknowledged a renewal within the last half of a lease, 0 if not.',
    ({ isStoreUp }) => Number(isStoreUp),
  ),
  figure('nodes', 'gauge', 'Nodes whose leases are open, as far as this node has seen.', ({ nodes }) => nodes),
  figure(
    'nodes_lost_total',
    'counter',
    'Leases of other nodes that this node closed because no renewal came. One node closes each lease.',
    ({ nodesLost }) => nodesLost,
  ),
  figure('machines', 'gauge', 'Machines that the node owns.', ({ machines }) => machines),
  figure(
    'machines_without_owner',
    'gauge',
    'Machines that wait for a node. Only the steward, which finds nodes for them, has a sample.',
    ({ withoutOwner }) => withoutOwner,
  ),
  figure(
    'machines_unstartable',
    'gauge',
    'Machines that no node can start from their checkpoints. Only the steward has a sample.',
    ({ unstartable }) => unstartable,
  ),
  figure('claims_total', 'counter', 'Machines without an owner that the node has claimed.', ({ claims }) => claims),
  clustered(
    {
      name: 'southbridge_cluster_migrations_total',
      type: 'counter',
      help: 'Migrations that the node began, by result: moved, refused by the other node, or failed.',
    },
    function* ({ migrations }, node) {
      for (const [result, value] of Object.entries(migrations.counts)) yield { labels: { ...node, result }, value };
    },
    [...NODE, 'result'],
  ),
  clustered(
    {
      name: 'southbridge_cluster_migration_pause_seconds',
      type: 'histogram',
      help: 'Time in which a machine that moved took no requests: from the last one on this node until it ran on the other.',
    },
    function* ({ migrations }, labels) {
      yield { labels, durations: migrations.pauses };
    },
  ),
  figure(
    'events_waiting',
    'gauge',
    'Events and other parts of machines’ streams that wait to be published.',
    ({ eventsWaiting }) => eventsWaiting,
  ),
  figure(
    'events_missed_total',
    'counter',
    'Events that found no room while the stream was slow; readers get a gap.',
    ({ eventsMissed }) => eventsMissed,
  ),
];
