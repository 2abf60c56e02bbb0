import { Type } from 'typebox';
import { describeMachine } from '../src/service/machine-description.js';
import { type Snapshot, SnapshotSchema } from '../src/service/snapshot.js';
import { CLOSED } from '../src/wire/json/schemas.js';
import { type App, MachineParams, type Routes, replies } from './app.js';

const tags = ['machines'];

export const snapshotRoutes: Routes = (app: App, { machines }) => {
  app.get(
    '/v1/machines/:machine/snapshot',
    {
      config: { access: 'drive' },
      schema: {
        tags,
        summary: 'The state of a machine at one moment: docs/snapshots.md',
        description: 'Accesses under way are finished first, and others wait until it is taken.',
        params: MachineParams,
        response: replies('The snapshot'),
      },
    },
    ({ params }) => machines.get(params.machine).snapshot(),
  );

  app.put(
    '/v1/machines/:machine/snapshot',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Makes a machine what it was at a snapshot, without events for the levels that this sets',
        params: MachineParams,
        querystring: Type.Object(
          {
            counter: Type.Optional(
              Type.Enum(['continue', 'jump'], {
                default: 'continue',
                description: 'Whether the clock goes on from the snapshot, or from as much later as has passed since.',
              }),
            ),
          },
          CLOSED,
        ),
        body: SnapshotSchema,
        response: replies('The machine'),
      },
    },
    async ({ params, query, body }) => {
      const machine = machines.get(params.machine);
      await machine.restore(body as Snapshot, query.counter ?? 'continue');
      return describeMachine(machine);
    },
  );
};
