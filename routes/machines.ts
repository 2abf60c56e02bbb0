import type { FastifyRequest } from 'fastify';
import { MachineConfig, type MachineConfig as MachineConfigType } from '../src/config/machine.js';
import { SouthbridgeError } from '../src/errors.js';
import { CLOSED } from '../src/protocol/json/schemas.js';
import { Type } from '../src/schema/type.js';
import { isGoodFor, requireGoodFor } from '../src/server/security/token-file.js';
import type { ClusterPort, OtherNode, RoutingPort } from '../src/server/service/cluster-port.js';
import { describeMachine } from '../src/server/service/machine-description.js';
import type { Machines } from '../src/server/service/machines.js';
import type { Service } from '../src/server/service/service.js';
import { type App, DONE, MachineParams, Nothing, type Routes, replies } from './app.js';

/** A deletion that takes longer, because a thread is stuck in the machine, goes on after the reply. */
const DELETE_MS = 2000;

const tags = ['machines'];

const NewMachineQuery = Type.Object(
  {
    node: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        description: 'Of a cluster: the node that makes the machine. Without it, the one with the most room does.',
      }),
    ),
  },
  CLOSED,
);

export const machineRoutes: Routes = (app: App, service) => {
  const { machines, store } = service;
  app.get(
    '/v1/machines',
    {
      config: { access: 'observe' },
      schema: {
        tags,
        summary: 'All machines',
        description:
          'Of the whole cluster, if there is one: each with its `node`, `unreachable` if nodes with open leases did not answer, and `unstartable` with machine and error if no node can start a machine. With `stateDir` also `setAside`: the checkpoints that could not be read since the start, if there were any, each with machine, new name and reason.',
        response: replies('machines'),
      },
    },
    async (request) => {
      const { token } = request;
      const isShown = (name: string) => isGoodFor(token ?? {}, name);
      const setAside = (store?.figures.setAside ?? []).filter(({ machine }) => isShown(machine));
      const shown = [...machines].filter(({ name }) => isShown(name));
      const own = shown.map(describeMachine);
      const all = service.cluster ? await machinesOfCluster(service, service.cluster, request, own) : { machines: own };
      return { ...all, ...(setAside.length > 0 && { setAside }) };
    },
  );

  creationRoute(app, service);

  app.get(
    '/v1/machines/:machine',
    {
      config: { access: 'observe' },
      schema: { tags, summary: 'One machine', params: MachineParams, response: replies('The machine') },
    },
    ({ params }) => describeMachine(machines.get(params.machine)),
  );

  deletionRoute(app, service);
  controlRoutes(app, machines);
};

function creationRoute(app: App, service: Service): void {
  app.post(
    '/v1/machines',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Makes a machine',
        body: MachineConfig,
        querystring: NewMachineQuery,
        response: replies('The new machine', 201),
      },
    },
    async (request, reply) => {
      // Validation has filled in every default.
      const config = request.body as MachineConfigType;
      requireGoodFor(request.token, config.name);
      const { status, body } = await make(service, config, request, request.query.node);
      if (status === 201) reply.header('location', `/v1/machines/${config.name}`);
      return reply.code(status).send(body);
    },
  );
}

/** Codes of a node that has made nothing, while another one may. */
const REFUSED = ['too-many-machines', 'shutting-down'];

/**
 * Makes a machine on this node or another one. If a node refuses, although its lease has shown room, the next is asked, unless
 * the client has named the node. Throws as `ClusterPort.nodeForNew` and `Machines.add`.
 */
async function make(service: Service, config: MachineConfigType, request: FastifyRequest, node?: string) {
  const { cluster, routing, machines } = service;
  if (!cluster && node !== undefined) throw new SouthbridgeError('no-cluster');
  const isChosen = cluster !== undefined && node === undefined && !request.forwarded;
  const refused = new Set<string>();
  for (;;) {
    const other = request.forwarded ? undefined : cluster?.nodeForNew(node, refused);
    const answer = other ? await makeOn(other, config, request, routing) : await makeHere(machines, config);
    if (!isChosen || answer.status === 201 || !REFUSED.includes(answer.code)) {
      if (answer.error) throw answer.error;
      return answer;
    }
    refused.add(other?.node ?? cluster.node);
  }
}

async function makeHere(machines: Machines, config: MachineConfigType) {
  try {
    return { status: 201, body: describeMachine(await machines.add(config)), code: '', error: undefined };
  } catch (error) {
    return { status: 0, body: undefined, code: (error as SouthbridgeError).code, error };
  }
}

async function makeOn(other: OtherNode, body: MachineConfigType, request: FastifyRequest, routing?: RoutingPort) {
  const call = { method: 'POST', url: `/v1/machines?node=${other.node}`, body };
  const answer = (await routing?.ask(other, call, request)) ?? { status: 503, body: undefined };
  const { error } = (answer.body ?? {}) as { readonly error?: { readonly code: string } };
  return { status: answer.status, body: answer.body as object, code: error?.code ?? '', error: undefined };
}

/** Machines of all nodes, by node. A request that another node has forwarded asks for those of this one. */
async function machinesOfCluster(
  { routing }: Service,
  cluster: ClusterPort,
  request: FastifyRequest,
  own: readonly object[],
): Promise<{ readonly machines: readonly object[]; readonly [key: string]: readonly unknown[] }> {
  const { node, others } = cluster;
  const machines = own.map((machine) => ({ ...machine, node }));
  if (request.forwarded || !routing) return { machines };
  const unreachable: string[] = [];
  const answers = others.map(async (other) => {
    try {
      const { status, body } = await routing.ask(other, { method: 'GET', url: '/v1/machines' }, request);
      if (status === 200) return (body as { machines: readonly object[] }).machines;
    } catch {
      // Named in the answer.
    }
    unreachable.push(other.node);
    return [];
  });
  const failed = (await cluster.unstartable()).filter(({ machine }) => isGoodFor(request.token ?? {}, machine));
  const all = [...machines, ...(await Promise.all(answers)).flat()];
  return {
    machines: all,
    ...(unreachable.length > 0 && { unreachable: unreachable.sort() }),
    ...(failed.length > 0 && { unstartable: failed }),
  };
}

function deletionRoute(app: App, service: Service): void {
  const { machines } = service;
  app.delete(
    '/v1/machines/:machine',
    {
      config: { access: 'admin', servesUnstartable: true },
      schema: {
        tags,
        summary: 'Deletes a machine, and closes the sockets of its vCPUs with code 4002',
        params: MachineParams,
        body: Nothing,
        response: { ...replies('A thread is still inside; deletion goes on', 202), ...DONE },
      },
    },
    async ({ params, log }, reply) => {
      const { cluster } = service;
      if (cluster && !machines.has(params.machine)) {
        await cluster.deleteUnstartable(params.machine);
        return await reply.code(204).send();
      }
      // Until the deletion is durable it may still be refused.
      const { isRemoved, removed } = await machines.delete(params.machine, DELETE_MS);
      if (isRemoved) return await reply.code(204).send();
      removed.catch((error: unknown) => log.error({ err: error }, 'a machine could not be deleted'));
      reply.code(202);
      return { state: 'deleting' };
    },
  );
}

function controlRoutes(app: App, machines: Machines): void {
  const control = (action: 'reset' | 'pause' | 'resume', summary: string) =>
    app.post(
      `/v1/machines/:machine/${action}`,
      {
        config: { access: 'drive' },
        schema: { tags, summary, params: MachineParams, body: Nothing, response: replies('The machine') },
      },
      async ({ params }) => {
        const machine = machines.get(params.machine);
        await machine[action]();
        return describeMachine(machine);
      },
    );
  control('reset', 'Resets HPET and IOAPIC as at power-on');
  control('pause', 'Stops the clock, and with it all timers');
  control('resume', 'Lets the clock go on from where it was stopped');
}
