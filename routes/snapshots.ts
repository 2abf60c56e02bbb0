import { SouthbridgeError } from '../src/errors.js';
import { CLOSED } from '../src/protocol/json/schemas.js';
import { Type } from '../src/schema/type.js';
import { describeMachine } from '../src/server/service/machine-description.js';
import { save } from '../src/server/service/saving.js';
import { type Snapshot, SnapshotSchema } from '../src/server/service/snapshot.js';
import { type App, MachineParams, Nothing, type Routes, replies } from './app.js';

const tags = ['machines'];

const counter = Type.Optional(
  Type.Enum(['continue', 'jump'], {
    default: 'continue',
    description: 'Whether the clock goes on from the snapshot, or from as much later as has passed since.',
  }),
);

export const snapshotRoutes: Routes = (app: App, { machines, store }) => {
  app.get(
    '/v1/machines/:machine/snapshot',
    {
      config: { access: 'drive' },
      schema: {
        tags,
        summary: 'The state of a machine at one moment: docs/snapshots.md',
        description: 'Accesses in flight are completed first, and new ones wait until it is taken.',
        params: MachineParams,
        response: replies('The snapshot'),
      },
    },
    ({ params }) => save(machines.get(params.machine)),
  );

  app.put(
    '/v1/machines/:machine/snapshot',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Makes a machine what it was at a snapshot; vCPUs and subscribers get the levels that this sets',
        params: MachineParams,
        querystring: Type.Object({ counter }, CLOSED),
        body: SnapshotSchema,
        response: replies('The machine'),
      },
    },
    async ({ params, query, body }) => {
      const machine = machines.get(params.machine);
      await machines.restore(machine, body as Snapshot, query.counter ?? 'continue');
      return describeMachine(machine);
    },
  );

  app.post(
    '/v1/machines/:machine/restore',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Makes a machine what it was at its last checkpoint in `stateDir`: docs/operations.md',
        description: 'Also where threads hang in the machine, or one died: they are ended first.',
        params: MachineParams,
        querystring: Type.Object({ counter }, CLOSED),
        body: Nothing,
        response: replies('The machine'),
      },
    },
    async ({ params, query }) => {
      const machine = machines.get(params.machine);
      const snapshot = await store?.lastOf(machine.name);
      if (!snapshot) throw new SouthbridgeError('no-checkpoint', { machine: machine.name });
      await machines.restore(machine, snapshot, query.counter ?? 'continue');
      return describeMachine(machine);
    },
  );
};
