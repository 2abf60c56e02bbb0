import { BqlLoadConfig } from '../src/config/machine.js';
import { Type } from '../src/schema/type.js';
import { describeContention, describeLocks, orderToDot } from '../src/server/service/lock-description.js';
import type { Machines } from '../src/server/service/machines.js';
import { type App, MachineParams, type Routes, replies } from './app.js';

const tags = ['locks'];
const params = MachineParams;

export const lockRoutes: Routes = (app: App, { machines }) => {
  app.get(
    '/v1/machines/:machine/locks',
    {
      config: { access: 'observe' },
      schema: {
        tags,
        summary: 'Owner and waiters of each lock now, and what the design deferred',
        description: 'Takes no lock: it answers while threads hang.',
        params,
        response: replies('The locks'),
      },
    },
    ({ params }) => describeLocks(machines.get(params.machine)),
  );

  app.get(
    '/v1/machines/:machine/locks/contention',
    {
      config: { access: 'observe' },
      schema: {
        tags,
        summary: 'Acquisitions, contention and waiting of each lock, by call site',
        description:
          'Counted since the machine was made. `metrics: shared`: it shares its counts with other machines of its design, see `limits.measuredMachines`. `waiting` is of this machine alone. Subtract two answers for rates: `at` is host time in ns. Takes no lock.',
        params,
        response: replies('The counts'),
      },
    },
    ({ params }) => describeContention(machines.get(params.machine)),
  );

  orderRoutes(app, machines);
  loadRoutes(app, machines);
};

function orderRoutes(app: App, machines: Machines): void {
  app.get(
    '/v1/machines/:machine/locks/order',
    {
      config: { access: 'observe' },
      schema: {
        tags,
        summary: 'Every order in which two locks were taken, and the inversions among them',
        params,
        querystring: Type.Object(
          { format: Type.Optional(Type.Enum(['json', 'dot'], { default: 'json' })) },
          { additionalProperties: false },
        ),
        response: replies('The order graph'),
      },
    },
    ({ params, query }, reply) => {
      const order = machines.get(params.machine).slot.lockOrder();
      if (query.format !== 'dot') return order;
      return reply.type('text/vnd.graphviz').serializer(String).send(orderToDot(order.edges));
    },
  );

  app.get(
    '/v1/machines/:machine/deadlocks',
    {
      config: { access: 'observe' },
      schema: {
        tags,
        summary: 'Deadlocks that were found: those that hang, and the last 32 broken ones of all machines',
        description: 'Takes no lock: it answers while threads hang.',
        params,
        response: replies('Deadlock reports'),
      },
    },
    ({ params }) => {
      const { engine, options } = machines.get(params.machine);
      return { deadlocks: engine.lockView.deadlocks(options.slot) };
    },
  );
}

function loadRoutes(app: App, machines: Machines): void {
  app.get(
    '/v1/machines/:machine/bql/load',
    {
      config: { access: 'observe' },
      schema: { tags, summary: 'Background work under the BQL', params, response: replies('The load') },
    },
    ({ params }) => machines.get(params.machine).bqlLoad,
  );

  app.put(
    '/v1/machines/:machine/bql/load',
    {
      config: { access: 'drive' },
      schema: {
        tags,
        summary: 'Changes the background work of the main loop under the BQL, at once',
        params,
        body: BqlLoadConfig,
        response: replies('The load'),
      },
    },
    ({ params, body }) => {
      const machine = machines.get(params.machine);
      machine.bqlLoad = body as Required<BqlLoadConfig>;
      return machine.bqlLoad;
    },
  );
}
