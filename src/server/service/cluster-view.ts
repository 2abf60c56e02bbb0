import type { FastifyRequest } from 'fastify';
import { within } from '../../runtime/promises.js';
import { isGoodFor } from '../security/token-file.js';
import type { ClusterPort, Migration, OtherNode, RoutingPort } from './cluster-port.js';

/** Migrations that have ended, in a reply. */
const SHOWN = 32;
/** For another node to name its migrations. */
const ANSWER_MS = 1000;

interface Shown {
  readonly running: readonly Migration[];
  readonly last: readonly Migration[];
}

/**
 * The cluster for the client of a request. Other nodes are asked for the migrations that they began, unless one of them asks
 * this one.
 */
export async function describeCluster(cluster: ClusterPort, routing: RoutingPort | undefined, request: FastifyRequest) {
  const { node, nodes, gone, placement, others } = cluster;
  const isShown = ({ machine }: { readonly machine: string }) => isGoodFor(request.token ?? {}, machine);
  const { running, last } = cluster.migrations;
  const own: Shown = { running: [...running].filter(isShown), last: last.filter(isShown) };
  if (request.forwarded || !routing) return { node, nodes, gone, placement, unstartable: [], migrations: own };
  const asked = others.map((other) => migrationsOf(routing, other, request));
  const unstartable = (await cluster.unstartable()).filter(isShown);
  const answers = await Promise.all(asked);
  const all = [own, ...answers.filter((answer) => answer !== undefined)];
  const migrations = {
    running: all.flatMap((each) => each.running),
    last: all
      .flatMap((each) => each.last)
      .sort((a, b) => (a.startedAt > b.startedAt ? -1 : 1))
      .slice(0, SHOWN),
  };
  const unreachable = others.filter((_, index) => !answers[index]).map((other) => other.node);
  return { node, nodes, gone, placement, unstartable, migrations, ...(unreachable.length > 0 && { unreachable }) };
}

async function migrationsOf(
  routing: RoutingPort,
  other: OtherNode,
  request: FastifyRequest,
): Promise<Shown | undefined> {
  try {
    const asked = routing.ask(other, { method: 'GET', url: '/v1/cluster' }, request);
    const answer = await within(ANSWER_MS, asked, undefined);
    return answer?.status === 200 ? (answer.body as { readonly migrations: Shown }).migrations : undefined;
  } catch {
    return undefined;
  }
}
