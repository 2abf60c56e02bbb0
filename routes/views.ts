import { viewHpet, viewIoapic } from '../src/server/service/views.js';
import { type App, MachineParams, type Routes, replies } from './app.js';

const tags = ['views'];

/** Registers with their fields by name. Looking changes nothing that a guest can see. */
export const viewRoutes: Routes = (app: App, { machines }) => {
  app.get(
    '/v1/machines/:machine/hpet',
    {
      config: { access: 'observe' },
      schema: { tags, summary: 'The HPET, decoded', params: MachineParams, response: replies('Its registers') },
    },
    ({ params }) => viewHpet(machines.get(params.machine)),
  );

  app.get(
    '/v1/machines/:machine/ioapic',
    {
      config: { access: 'observe' },
      schema: {
        tags,
        summary: 'The IOAPIC and its lines, decoded',
        params: MachineParams,
        response: replies('Its registers'),
      },
    },
    ({ params }) => viewIoapic(machines.get(params.machine)),
  );
};
