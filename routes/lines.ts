import { CLOSED, Gsi, Level } from '../src/protocol/json/schemas.js';
import { INPUTS } from '../src/protocol/names.js';
import { Type } from '../src/schema/type.js';
import { setInput, setLine } from '../src/server/service/guest-requests.js';
import { type App, DONE, MachineParams, type Routes } from './app.js';

export const lineRoutes: Routes = (app: App, { machines }) => {
  app.post(
    '/v1/machines/:machine/lines/:gsi',
    {
      config: { access: 'drive' },
      schema: {
        tags: ['lines'],
        summary: "Drives an interrupt line, as the machine's external source",
        params: Type.Object({ ...MachineParams.properties, gsi: Gsi }),
        body: Type.Object({ level: Level }, CLOSED),
        response: DONE,
      },
    },
    async ({ params: { machine, gsi }, body: { level } }, reply) => {
      const handle = machines.get(machine);
      await handle.ask((done) => setLine(handle, 0, gsi, level, done));
      return reply.code(204).send();
    },
  );

  app.post(
    '/v1/machines/:machine/inputs/:input',
    {
      config: { access: 'drive' },
      schema: {
        tags: ['lines'],
        summary: "Drives the PIT's or the RTC's output, or the callback of Xen's event channel",
        description:
          'PIT and RTC reach GSI 2 and 8 unless the HPET is in legacy mode; their changes are control work on the main loop. The Xen callback needs a machine with xen.form.',
        params: Type.Object({ ...MachineParams.properties, input: Type.Enum([...INPUTS]) }),
        body: Type.Object({ level: Level }, CLOSED),
        response: DONE,
      },
    },
    async ({ params: { machine, input }, body: { level } }, reply) => {
      await setInput(machines.get(machine), input, level);
      return reply.code(204).send();
    },
  );
};
