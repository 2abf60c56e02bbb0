import type { FastifyRequest } from 'fastify';
import { SouthbridgeError } from '../src/errors.js';
import { CLOSED } from '../src/protocol/json/schemas.js';
import { Type } from '../src/schema/type.js';
import { requireGoodFor } from '../src/server/security/token-file.js';
import type { ClusterPort, NodeAnswer } from '../src/server/service/cluster-port.js';
import type { Service } from '../src/server/service/service.js';
import { type App, DONE, MachineParams, type Routes, replies } from './app.js';

const tags = ['cluster'];

export const clusterRoutes: Routes = (app: App, service) => {
  app.get(
    '/v1/cluster',
    {
      config: { access: 'observe' },
      schema: {
        tags,
        summary: 'The nodes of the cluster whose leases are open: docs/scale.md',
        response: replies('This node, and all nodes with their addresses and room'),
      },
    },
    () => {
      const { node, nodes } = requireCluster(service);
      return { node, nodes };
    },
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
