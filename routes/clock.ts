import { CLOSED, Nanoseconds } from '../src/protocol/json/schemas.js';
import { Type } from '../src/schema/type.js';
import { stepClock } from '../src/server/service/guest-requests.js';
import { type App, MachineParams, type Routes, replies } from './app.js';

export const clockRoutes: Routes = (app: App, { machines }) => {
  app.post(
    '/v1/machines/:machine/clock/step',
    {
      config: { access: 'drive' },
      schema: {
        tags: ['clock'],
        summary: 'Moves a manual clock; the reply comes when everything that was due has run',
        params: MachineParams,
        body: Type.Object({ ns: Nanoseconds }, CLOSED),
        response: replies('Virtual time afterwards'),
      },
    },
    async ({ params, body }) => {
      const machine = machines.get(params.machine);
      await machine.ask((done) => stepClock(machine, 0, Number(body.ns), false, done));
      return { virtualTime: String(machine.virtualTime) };
    },
  );
};
