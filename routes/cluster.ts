import { SouthbridgeError } from '../src/errors.js';
import { CLOSED } from '../src/protocol/json/schemas.js';
import { Type } from '../src/schema/type.js';
import { requireGoodFor } from '../src/server/security/token-file.js';
import type { ClusterPort } from '../src/server/service/cluster-port.js';
import type { Service } from '../src/server/service/service.js';
import { type App, DONE, MachineParams, Nothing, type Routes, replies } from './app.js';

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
        summary: 'Moves all machines of this node to others; it takes none until it is started again',
        body: Nothing,
        response: replies('How many machines stayed, for want of room or because they hang'),
      },
    },
    async () => ({ stayed: await requireCluster(service).drain() }),
  );

  app.post(
    '/v1/machines/:machine/migrate',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Moves a running machine to another node of the cluster; its clients connect again',
        params: MachineParams,
        body: Type.Object({ node: Type.String({ minLength: 1, maxLength: 64 }) }, CLOSED),
        response: DONE,
      },
    },
    async ({ params, body, token }, reply) => {
      requireGoodFor(token, params.machine);
      const machine = service.machines.get(params.machine);
      await requireCluster(service).migrate(machine, body.node);
      return reply.code(204).send();
    },
  );
};

function requireCluster({ cluster }: Service): ClusterPort {
  if (!cluster) throw new SouthbridgeError('no-cluster');
  return cluster;
}
