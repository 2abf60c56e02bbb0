import { Type } from 'typebox';
import { promised } from '../src/service/promised.js';
import { CLOSED, Gsi, Level } from '../src/wire/json/schemas.js';
import { type App, DONE, MachineParams, type Routes } from './app.js';

export const lineRoutes: Routes = (app: App, { machines }) => {
  app.post(
    '/v1/machines/:machine/lines/:gsi',
    {
      schema: {
        tags: ['lines'],
        summary: "Drives an interrupt line, as the machine's external source",
        params: Type.Object({ ...MachineParams.properties, gsi: Gsi }),
        body: Type.Object({ level: Level }, CLOSED),
        response: DONE,
      },
    },
    async ({ params: { machine, gsi }, body: { level } }, reply) => {
      await promised((answer) => machines.get(machine).setLine(0, gsi, level, answer));
      return reply.code(204).send();
    },
  );
};
