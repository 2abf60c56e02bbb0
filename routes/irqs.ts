import { Type } from 'typebox';
import { IrqStream } from '../src/service/irq-stream.js';
import { CLOSED } from '../src/service/messages.js';
import { resumeTokenOf } from '../src/service/subprotocols.js';
import { type App, MachineParams, type Routes } from './app.js';

const After = Type.Object(
  {
    after: Type.Optional(Type.String({ pattern: '^[0-9]{1,15}$', description: 'Number of the last event received.' })),
  },
  CLOSED,
);

export const irqRoutes: Routes = (app: App, service) => {
  const { machines, connections, configuration } = service;

  app.route({
    method: 'GET',
    url: '/v1/machines/:machine/irqs',
    websocket: true,
    config: { socket: true },
    schema: { params: MachineParams, querystring: After },
    preHandler: async ({ params, headers }) => {
      service.requireRoom();
      resumeTokenOf(headers['sec-websocket-protocol']);
      machines.get(params.machine).requireOpen();
    },
    handler: (socket, { params, query }) => {
      connections.irqs++;
      socket.on('close', () => connections.irqs--);
      new IrqStream(
        socket,
        machines.get(params.machine),
        configuration.limits,
        query.after === undefined ? undefined : Number(query.after),
      );
    },
  });
};
