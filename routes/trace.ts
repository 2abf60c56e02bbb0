import { Readable } from 'node:stream';
import { SouthbridgeError } from '../src/errors.js';
import { CLOSED } from '../src/protocol/json/schemas.js';
import { Type } from '../src/schema/type.js';
import { describeTracing, perfettoFile, setTracing } from '../src/server/service/tracing.js';
import { type App, MachineParams, type Routes, replies } from './app.js';

const tags = ['trace'];
const params = MachineParams;

export const traceRoutes: Routes = (app: App, { machines }) => {
  /** An export holds the gateway and much memory: there is one at a time. */
  let exporting = false;

  app.put(
    '/v1/machines/:machine/trace',
    {
      config: { access: 'drive' },
      schema: {
        tags,
        summary: 'Turns the trace of a machine on, from now on, or off',
        description: 'What was recorded before it is turned off stays until it is turned on again. Takes no lock.',
        params,
        body: Type.Object({ enabled: Type.Boolean() }, CLOSED),
        response: replies('Whether it is on, and what the threads have written since'),
      },
    },
    ({ params, body }) => {
      const machine = machines.get(params.machine);
      setTracing(machine, body.enabled);
      return describeTracing(machine);
    },
  );

  app.get(
    '/v1/machines/:machine/trace',
    {
      config: { access: 'observe' },
      schema: {
        tags,
        summary: 'What threads did in a machine: waits and holds of locks, accesses, callbacks, interrupts',
        description:
          '`format=perfetto`: the newest records as a file in the JSON trace-event format, for ui.perfetto.dev and ' +
          'chrome://tracing; without, only how many there are. Takes no lock: it answers while threads hang.',
        params,
        querystring: Type.Object({ format: Type.Optional(Type.Enum(['perfetto'])) }, CLOSED),
        response: replies('The trace, or how much of it there is'),
      },
    },
    ({ params, query }, reply) => {
      const machine = machines.get(params.machine);
      if (query.format !== 'perfetto') return describeTracing(machine);
      if (exporting) throw new SouthbridgeError('export-busy', { retryAfter: 1 });
      const file = Readable.from(perfettoFile(machine));
      exporting = true;
      file.once('close', () => {
        exporting = false;
      });
      reply.header('content-disposition', `attachment; filename="${machine.name}.trace.json"`);
      return reply.type('application/json; charset=utf-8').send(file as never);
    },
  );
};
