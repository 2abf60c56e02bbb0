import { ClusterNode } from '../../../../src/server/cluster/node.js';
import { Random } from '../../../support/random.js';
import { type NodeClass, SimulatedCluster } from './cluster.js';
import type { Network } from './store.js';
import { World } from './world.js';

const TIMES = { ttl: 3000, margin: 600 };
/** Clocks run at 1 ± so much: within what the margin allows for, and beyond. */
const DRIFT = { bounded: 0.02, wild: 0.6 };
/** ms without faults after which every machine has an owner. */
export const BOUND_MS = 15_000;

const CALM: Network = { delay: 1, slowest: 20, slow: 0.02, lost: 0, repeated: 0 };
const ROUGH: Network = { delay: 2, slowest: 2500, slow: 0.03, lost: 0.02, repeated: 0.02 };

export interface RunOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly machines: number;
  /** ms with faults. */
  readonly faultsMs: number;
  readonly actionMs: number;
  /** `wild`: leases prevent nothing, and everything rests on compare-and-set. */
  readonly clocks: keyof typeof DRIFT;
  readonly Node?: NodeClass;
}

export interface RunResult {
  readonly violations: readonly string[];
  readonly claims: number;
  readonly frames: number;
}

/** One run: machines are made, nodes and network fail for a while, and then everything has to be well again. */
export async function simulate(run: RunOptions): Promise<RunResult> {
  const { seed, nodes, machines, faultsMs, actionMs, clocks, Node = ClusterNode } = run;
  const world = new World(new Random(seed));
  const network: Network = { ...CALM };
  const options = {
    nodes,
    machines,
    times: TIMES,
    network,
    drift: DRIFT[clocks],
    checksFrames: clocks === 'bounded',
    actionMs,
  };
  const cluster = new SimulatedCluster(world, options, Node);
  for (let index = 0; index < nodes; index++) cluster.start(`n${index}`);
  await world.run(1000);
  const hosts = [...cluster.nodes.values()];
  let failed = 0;
  for (let index = 0; index < machines; index++)
    hosts[index % nodes].create(`m${index}`).catch(() => {
      failed++;
    });
  await world.run(4000);
  if (failed > 0 || cluster.acknowledged.size !== machines) cluster.violation(`${failed} machines were not made`);
  Object.assign(network, ROUGH);
  const end = world.now + faultsMs;
  injectFaults(cluster, nodes, end);
  await world.run(end);
  Object.assign(network, CALM);
  for (const { process } of cluster.nodes.values())
    Object.assign(process, { sendsNothing: false, getsNothing: false, stoppedUntil: 0 });
  for (let index = 0; index < nodes; index++) if (!cluster.nodes.has(`n${index}`)) cluster.start(`n${index}`);
  await world.run(end + BOUND_MS);
  const left = cluster.withoutOwner;
  if (left.length > 0) cluster.violation(`no live node runs ${left.length} machines, such as ${left[0]}`);
  return cluster;
}

/** Crashes, stops and partitions of single nodes, of one direction or both, until a time. */
function injectFaults(cluster: SimulatedCluster, nodes: number, end: number): void {
  const { world } = cluster;
  const fault = () => {
    if (world.now >= end) return;
    world.schedule(world.between(0, 60_000 / nodes), undefined, fault);
    const node = world.pick([...cluster.nodes.values()]);
    if (!node) return;
    const { process, name } = node;
    const ms = world.between(100, 3 * TIMES.ttl);
    const later = (work: () => void) => world.schedule(ms, undefined, () => world.now < end && work());
    const kind = Math.floor(world.between(0, 5));
    if (kind === 0) {
      cluster.kill(name);
      later(() => cluster.start(name));
    } else if (kind === 1) process.stoppedUntil = Math.min(end, world.now + ms);
    else {
      process.sendsNothing = kind !== 2;
      process.getsNothing = kind !== 3;
      later(() => Object.assign(process, { sendsNothing: false, getsNothing: false }));
    }
  };
  fault();
}
