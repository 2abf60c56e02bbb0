import type { FastifyRequest } from 'fastify';
import { SouthbridgeError } from '../src/errors.js';
import { CLOSED } from '../src/protocol/json/schemas.js';
import { Type } from '../src/schema/type.js';
import { requireGoodFor } from '../src/server/security/token-file.js';
import type { ClusterPort, NodeAnswer } from '../src/server/service/cluster-port.js';
import { describeCluster } from '../src/server/service/cluster-view.js';
import type { Service } from '../src/server/service/service.js';
import { type App, DONE, ErrorReply, MachineParams, type Replies, type Routes, replies } from './app.js';

const tags = ['cluster'];

const Name = Type.String();
const Count = Type.Integer({ minimum: 0 });

const Life = { node: Name, incarnation: Type.String(), address: Type.String() };

const Migration = Type.Object({
  machine: Name,
  from: Name,
  to: Name,
  startedAt: Type.String({ description: 'Date and time of day, ISO 8601.' }),
  result: Type.String({ description: '`running`, `moved`, `refused` or `failed`.' }),
  error: Type.Optional(Type.String({ description: 'Code of the refusal.' })),
  pauseMs: Type.Optional(Type.Number({ description: 'Time in ms in which the machine took no requests.' })),
});

const ClusterReply = Type.Object(
  {
    node: Type.String({ description: 'The node that answers.' }),
    nodes: Type.Array(
      Type.Object({
        ...Life,
        state: Type.String({ description: '`open`, or `late`: no renewal for more than half of `cluster.leaseMs`.' }),
        leaseMs: Type.Integer({ description: 'ms until other nodes close the lease, unless it is renewed.' }),
        machines: Count,
        room: Type.Integer({ description: 'Machines that the node can take beyond its own.' }),
        load: Type.Number({ description: 'Part of its time that the node is busy, 0 to 1.' }),
        draining: Type.Boolean(),
      }),
      { description: 'Nodes whose leases are open, by name.' },
    ),
    gone: Type.Array(Type.Object({ ...Life, goneMs: Count }), {
      description: 'Nodes whose leases were closed, and that have not joined again.',
    }),
    placement: Type.Object({
      steward: Type.Union([Name, Type.Null()], { description: 'The node that finds nodes for machines without one.' }),
      owned: Count,
      withoutOwner: Type.Union([Count, Type.Null()]),
      unstartable: Type.Union([Count, Type.Null()]),
    }),
    unstartable: Type.Array(Type.Object({ machine: Name, error: ErrorReply.properties.error }), {
      description: 'Machines that no node can start, with the last failure: the first 32.',
    }),
    migrations: Type.Object({ running: Type.Array(Migration), last: Type.Array(Migration) }),
    unreachable: Type.Optional(Type.Array(Name)),
  },
  { description: 'The cluster, as this node sees it' },
);

const REPLIES: Replies = { 200: ClusterReply, '4xx': ErrorReply };

export const clusterRoutes: Routes = (app: App, service) => {
  app.get(
    '/v1/cluster',
    {
      config: { access: 'observe' },
      schema: {
        tags,
        summary: 'Nodes, leases, placement and migrations of the cluster: docs/scale.md',
        description:
          'As far as the node that answers has seen. Machines that the token is not good for are left out; `unreachable` names nodes whose migrations are not known, because they did not answer.',
        response: REPLIES,
      },
    },
    (request) => describeCluster(requireCluster(service), service.routing, request),
  );

  app.post(
    '/v1/cluster/drain',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Moves all machines of a node to others; it takes none until it is started again',
        body: Type.Object(
          { node: Type.Optional(Type.String({ maxLength: 64, description: 'This node, if not given.' })) },
          CLOSED,
        ),
        response: replies('How many machines stayed, for want of room or because they hang'),
      },
    },
    async (request, reply) => {
      const { status, body } = await drain(service, request, request.body.node);
      return reply.code(status).send(body);
    },
  );

  app.post(
    '/v1/machines/:machine/migrate',
    {
      config: { access: 'admin', servesUnstartable: true },
      schema: {
        tags,
        summary: 'Moves a running machine to another node of the cluster; its clients connect again',
        description: 'Has the node try again to start the machine, if no node could start it (`machine-unstartable`).',
        params: MachineParams,
        body: Type.Object({ node: Type.String({ minLength: 1, maxLength: 64 }) }, CLOSED),
        response: DONE,
      },
    },
    async ({ params, body, token }, reply) => {
      requireGoodFor(token, params.machine);
      const cluster = requireCluster(service);
      if (service.machines.has(params.machine)) await cluster.migrate(service.machines.get(params.machine), body.node);
      else await cluster.startAgain(params.machine, body.node);
      return reply.code(204).send();
    },
  );
};

/** Drains this node, or asks another to drain itself. */
async function drain(service: Service, request: FastifyRequest, node?: string): Promise<NodeAnswer> {
  const cluster = requireCluster(service);
  if (node === undefined || node === cluster.node) return { status: 200, body: { stayed: await cluster.drain() } };
  const other = cluster.others.find((each) => each.node === node);
  if (!other || !service.routing) throw new SouthbridgeError('unknown-node', { node, own: cluster.node });
  return service.routing.ask(other, { method: 'POST', url: '/v1/cluster/drain', body: { node } }, request);
}

function requireCluster({ cluster }: Service): ClusterPort {
  if (!cluster) throw new SouthbridgeError('no-cluster');
  return cluster;
}
