import type { ClusterFigures, GoneNode, NodeDescription, PlacementFigures } from '../service/cluster-port.js';
import type { EventPublishers } from './events/event-publishers.js';
import type { ClusterNode } from './node.js';

export function byName(a: { readonly node: string }, b: { readonly node: string }): number {
  return a.node < b.node ? -1 : 1;
}

export function describeNodes({ members, parts }: ClusterNode): NodeDescription[] {
  const { ttl, margin } = parts.times;
  const now = parts.clock.now();
  const nodes = [...members.open].map(({ record, seen }): NodeDescription => {
    const { node, incarnation, address, machines, room, draining } = record;
    const state = now - seen > ttl / 2 ? 'late' : 'open';
    const leaseMs = Math.max(0, Math.round(seen + ttl + margin - now));
    const load = Math.round(room.load * 1000) / 1000;
    return { node, incarnation, address, state, leaseMs, machines, room: room.machines, load, draining };
  });
  return nodes.sort(byName);
}

export function describeGone({ members, parts }: ClusterNode): GoneNode[] {
  const now = parts.clock.now();
  const gone = [...members.gone].map(({ record: { node, incarnation, address }, since }) => {
    return { node, incarnation, address, goneMs: Math.round(now - since) };
  });
  return gone.sort(byName);
}

export function describePlacement({ members }: ClusterNode): PlacementFigures {
  const records = [...members];
  const steward = records.find(({ survey }) => survey);
  return {
    steward: steward?.node ?? null,
    owned: records.reduce((sum, { machines }) => sum + machines, 0),
    withoutOwner: steward?.survey?.withoutOwner ?? null,
    unstartable: steward?.survey?.unstartable ?? null,
  };
}

export function figuresOf(node: ClusterNode, publishers: EventPublishers): ClusterFigures {
  const { members, leaseRemaining, leasesLost, machines, claims, survey, parts } = node;
  return {
    leaseRemaining,
    leasesLost,
    isStoreUp: leaseRemaining > parts.times.ttl / 2,
    nodes: members.size,
    nodesLost: members.lost,
    machines,
    withoutOwner: survey?.withoutOwner,
    unstartable: survey?.unstartable,
    claims,
    eventsWaiting: publishers.waiting,
    eventsMissed: publishers.missed,
  };
}
