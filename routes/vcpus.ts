import type { FastifyRequest } from 'fastify';
import { resumeTokenOf } from '../src/protocol/subprotocols.js';
import { Type } from '../src/schema/type.js';
import { addressOf } from '../src/server/security/forwarded.js';
import { refuseSocket } from '../src/server/service/refusal.js';
import { sendToOwner } from '../src/server/streams/elsewhere.js';
import { VcpuSocket } from '../src/server/streams/vcpu-socket.js';
import { type App, MachineParams, type Routes } from './app.js';

const params = Type.Object({ ...MachineParams.properties, vcpu: Type.String() });

export const vcpuRoutes: Routes = (app: App, service) => {
  const { machines, connections, configuration, flow } = service;
  const tokenOf = ({ headers }: Pick<FastifyRequest, 'headers'>) => resumeTokenOf(headers['sec-websocket-protocol']);

  app.route({
    method: 'GET',
    url: '/v1/machines/:machine/vcpus/:vcpu',
    websocket: true,
    config: { access: 'drive', socket: true },
    schema: { params },
    preHandler: async (request) => {
      service.requireRoom(addressOf(request));
      tokenOf(request);
    },
    handler: (socket, request) => {
      const { owner } = request;
      if (owner) return sendToOwner(socket, request.params, owner);
      socket.on('close', connections.opened('vcpu', addressOf(request)));
      try {
        const machine = machines.get(request.params.machine);
        machine.requireOpen();
        const vcpu = machine.vcpu(request.params.vcpu);
        const onFault = (error: unknown) => request.log.error({ err: error }, 'a message failed');
        new VcpuSocket(
          socket,
          machine,
          vcpu,
          configuration.limits,
          flow,
          tokenOf(request),
          onFault,
          request.raw.socket,
          service.cluster?.placeOf(machine.name),
        );
      } catch (error) {
        refuseSocket(socket, error);
      }
    },
  });
};
