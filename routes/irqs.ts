import { IrqStream } from '../src/service/irq-stream.js';
import { resumeTokenOf } from '../src/wire/subprotocols.js';
import { type App, MachineParams, type Routes } from './app.js';

export const irqRoutes: Routes = (app: App, service) => {
  const { machines, connections, configuration } = service;

  app.route({
    method: 'GET',
    url: '/v1/machines/:machine/irqs',
    websocket: true,
    config: { socket: true },
    schema: { params: MachineParams },
    preHandler: async ({ params, headers }) => {
      service.requireRoom();
      resumeTokenOf(headers['sec-websocket-protocol']);
      machines.get(params.machine).requireOpen();
    },
    handler: (socket, { params }) => {
      connections.irqs++;
      socket.on('close', () => connections.irqs--);
      new IrqStream(socket, machines.get(params.machine), configuration.limits);
    },
  });
};
